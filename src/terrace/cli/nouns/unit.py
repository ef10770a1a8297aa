"""The systemd unit of the local server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from terrace.cli.faults import Stop
from terrace.client.local import config_folder, locate

UNIT = """\
# Written by `terrace server install`.
[Unit]
Description=Terrace keeps what you asked for standing
After=network-online.target docker.service
Wants=network-online.target

[Service]
ExecStart={program} -m terrace serve
ExecReload=/bin/kill -HUP $MAINPID
TimeoutStopSec=40
Restart=always
RestartSec=2
{extra}
[Install]
WantedBy={target}
"""


def unit_text(*, user: bool) -> str:
    """The unit, with the paths of this user's server: so that the same `terrace` finds it."""
    local = locate()
    extra = [
        f'Environment="TERRACE_STATE={_escaped(local.state)}"',
        f'Environment="TERRACE_SERVER_CONFIG={_escaped(local.settings)}"',
    ]
    if not user:
        import pwd

        extra.append(f"User={pwd.getpwuid(os.getuid()).pw_name}")
    target = "default.target" if user else "multi-user.target"
    return UNIT.format(
        program=_escaped(sys.executable), extra="".join(f"{line}\n" for line in extra), target=target
    )


def unit_file(*, user: bool) -> Path:
    """Where the unit goes."""
    if user:
        return Path(config_folder()).parent / "systemd" / "user" / "terrace.service"
    return Path("/etc/systemd/system/terrace.service")


def systemd_runs() -> bool:
    """Whether systemd manages this machine."""
    return Path("/run/systemd/system").is_dir()


def enable(*, user: bool) -> None:
    """Tells systemd to start it now and with the machine."""
    scope = ["--user"] if user else []
    for words in (["daemon-reload"], ["enable", "--now", "terrace.service"]):
        done = subprocess.run(["systemctl", *scope, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            command = " ".join(["systemctl", *scope, *words])
            raise Stop(f"{command}: {done.stderr.strip()}", code="systemd", hint="journalctl -xe says more")


def _escaped(path: object) -> str:
    """A path as systemd reads it: % and the backslash are special."""
    return str(path).replace("\\", "\\\\").replace("%", "%%")
