"""The private engine itself: everything else in this folder stands on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from terrace.drivers.docker.networks import uplink_mtu
from tests.real.engine import EngineError
from tests.real.remains import MARK

if TYPE_CHECKING:
    from tests.real.engine import Engine

ROOT = Path(__file__).parents[2]


def test_published_ports_and_guests_answer_here(engine: Engine, tiny_image: str) -> None:
    script = "mkdir /www && echo hello >/www/index.html && exec httpd -f -h /www"
    engine.cli("run", "-d", "--name", "web", "-p", "127.0.0.1:18080:80", tiny_image, "sh", "-c", script)
    address = engine.inspect("web")["NetworkSettings"]["IPAddress"]
    for url in ("http://127.0.0.1:18080/", f"http://{address}/"):
        with urllib.request.urlopen(url, timeout=5) as reply:
            assert reply.read() == b"hello\n"


def test_stop_ends_the_guests_and_start_finds_them(engine: Engine, tiny_image: str) -> None:
    engine.cli("run", "-d", "--name", "one", tiny_image)
    engine.stop()
    assert not engine.answers
    engine.start()
    assert engine.containers() == ["one"]
    assert engine.containers(running=True) == []


def test_a_crash_leaves_guests_running_under_live_restore(engine: Engine, tiny_image: str) -> None:
    engine.stop()
    engine.start(live_restore=True)
    engine.cli("run", "-d", "--name", "one", tiny_image)
    before = engine.inspect("one")["State"]["Pid"]
    engine.kill()
    engine.start(live_restore=True)
    assert engine.inspect("one")["State"]["Pid"] == before
    engine.stop()
    engine.start()


def test_a_paused_daemon_says_nothing(engine: Engine) -> None:
    engine.pause()
    with pytest.raises(subprocess.TimeoutExpired):
        engine.cli("ps", timeout=0.5)
    engine.resume()
    assert engine.containers() == []


def test_recover_mends_what_a_test_left(engine: Engine) -> None:
    engine.pause()
    engine.recover()
    engine.kill()
    engine.recover()
    assert engine.answers


def test_what_docker_says_is_in_the_error(engine: Engine) -> None:
    with pytest.raises(EngineError, match="No such container"):
        engine.cli("start", "nobody")


def test_packages_install_in_a_guest_of_the_base_image(engine: Engine, base_image: str) -> None:
    script = (
        "apt-get -qq update && apt-get -qq install -y --no-install-recommends hello >/dev/null 2>&1 && hello"
    )
    engine.cli("network", "create", "--opt", f"com.docker.network.driver.mtu={uplink_mtu()}", "apart")
    said = engine.cli("run", "--rm", "--network", "apart", base_image, "sh", "-c", script, timeout=120)
    assert "Hello, world!" in said


LEAVING = """
import subprocess, time
from pathlib import Path
from tests.real.engine import private_engine
from tests.real.postgres.rig import private_server
from tests.real.remains import folder, note
with private_engine() as engine, private_server("fsync=off"):
    engine.cli("network", "create", "left")
    place = Path(folder(), "disk")
    place.mkdir()
    note("umount", place)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL)
    print(engine.name, flush=True)
    time.sleep(1000)
"""
NEXT = "from tests.real.remains import folder; folder()"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_a_run_leaves_goes_at_its_end_or_when_the_next_begins(how: signal.Signals) -> None:
    with tempfile.TemporaryDirectory(prefix="tl-", dir="/var/tmp") as home:
        os.chmod(home, 0o755)  # PostgreSQL is no root
        around = {key: value for key, value in os.environ.items() if key != MARK} | {"TERRACE_TEST_DIR": home}
        killed = subprocess.Popen(
            [sys.executable, "-c", LEAVING], env=around, cwd=ROOT, stdout=subprocess.PIPE
        )
        assert killed.stdout is not None
        (name,) = killed.stdout.readline().decode().split()
        assert home in mounts()
        subprocess.run([sys.executable, "-c", NEXT], env=around, cwd=ROOT, check=True)
        assert home in mounts(), "what a living run holds was taken away"
        killed.send_signal(how)
        killed.wait()
        if how is signal.SIGKILL:
            subprocess.run([sys.executable, "-c", NEXT], env=around, cwd=ROOT, check=True)
        assert home not in mounts()
        assert home not in processes()
        assert not Path("/run/netns", f"terrace-{name}").exists()
        assert list(Path(home).iterdir()) == []


def mounts() -> str:
    return Path("/proc/mounts").read_text()


def processes() -> str:
    """The command lines and environments of all that run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += [(process / name).read_text(errors="replace") for name in ("cmdline", "environ")]
    return "\n".join(found)
