"""The everyday path on one real stack: every command once, as a person would type them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from tests.real.level.rig import Terrace

MIB = 1024 * 1024
PORT = 18080
URL = f"http://127.0.0.1:{PORT}/"
FIRST_BOOT = "#!/bin/sh\necho booted >> /keep/boots\nhostname >> /keep/boots\n"
SERVE = 'mkdir -p /www && echo "$GREETING" > /www/index.html && echo serving && exec httpd -f -p 80 -h /www'
STANDS = ("net", "disk", "web", "db")


def shop(tiny: str, *, memory: int = 32) -> dict[str, Any]:
    """Two machines on a network that find each other by name, one with a disk, one with a page."""
    on = [{"network": {"get_resource": "net"}}]
    database = machine(
        "debian-12",
        memory=64,
        networks=on,
        volumes=[{"volume": {"get_resource": "disk"}, "path": "/keep"}],
        user_data=FIRST_BOOT,
        keys=[{"get_resource": "key"}],
        health={"type": "command", "command": ["test", "-s", "/keep/boots"], "interval": 0.5},
    )
    del database["properties"]["command"]
    return {
        "net": of("Network", cidr="10.77.0.0/24"),
        "disk": of("Volume"),
        "key": of("KeyPair"),
        "password": of("RandomString", length=20),
        "db": database,
        "web": {
            "depends_on": "db",
            **machine(
                tiny,
                memory=memory,
                command=SERVE,
                networks=on,
                environment={"GREETING": {"get_param": "greeting"}},
                files=[
                    {"path": "/etc/shop.conf", "mode": "0640", "content": {"get_attr": ["password", "value"]}}
                ],
                health={"type": "http", "port": 80, "interval": 0.5},
                publish=[f"127.0.0.1:{PORT}:80"],
            ),
        },
    }


SECTIONS = {
    "description": "A shop",
    "parameters": {"greeting": {"type": "string", "default": "hello"}},
    "outputs": {
        "url": {"value": URL},
        "database": {"value": {"get_attr": ["db", "first_address"]}},
        "password": {"value": {"get_attr": ["password", "value"]}},
    },
}


def page() -> str:
    """What the shop's page says."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(URL, timeout=5) as reply:
        return str(reply.read().decode().strip())


@pytest.fixture
def stack(terrace: Terrace, tiny_image: str, base_image: str) -> Terrace:
    """The stack `shop`, settled."""
    template = terrace.write("shop", shop(tiny_image), **SECTIONS)
    assert {item["what"] for item in terrace.plan("shop").values()} == {"create"}
    done = terrace("up", template, "--yes")
    assert "shop settled" in done.err
    terrace.stands("shop", *STANDS)
    return terrace


def test_it_comes_up_and_works(stack: Terrace) -> None:
    """Guests find each other by name; files, first boot, key, page and outputs are there."""
    assert page() == "hello"
    assert stack("exec", "shop/db", "--", "getent", "hosts", "web").code == 0
    assert stack("exec", "shop/web", "--", "nslookup", "db").code == 0
    assert stack("exec", "shop/db", "--", "cat", "/keep/boots").out.splitlines()[0] == "booted"
    password = stack("output", "shop", "password").out.strip()
    assert len(password) == 20
    assert stack("exec", "shop/web", "--", "cat", "/etc/shop.conf").out.strip() == password
    assert stack("exec", "shop/web", "--", "stat", "-c", "%a", "/etc/shop.conf").out == "640\n"
    key = stack.resources("shop")["key"]["attributes"]["public_key"]
    # a path inside the guest
    keys = stack("exec", "shop/db", "--", "cat", "/root/.ssh/authorized_keys").out
    assert key.split()[1] in keys
    assert stack.inspect("shop", "db")["HostConfig"]["Memory"] == 64 * MIB
    address = stack("output", "shop", "database").out.strip()
    assert address.startswith("10.77.0.")
    outputs = {one["name"]: one["value"] for one in stack("output", "shop", "-o", "json").json}
    assert outputs == {"url": URL, "database": address, "password": password}

    # A first boot happens once, however often the machine starts.
    last = stack.last_event("shop")
    stack.engine.cli("kill", stack.container("shop", "db"))
    stack.noticed("shop", "db", last)
    stack.stands("shop", *STANDS)
    assert stack("exec", "shop/db", "--", "grep", "-c", "booted", "/keep/boots").out == "1\n"
    stack.down("shop")


def test_every_command_once(stack: Terrace) -> None:
    template = str(stack.folder / "shop.yaml")
    stack("validate", template)
    assert "nothing to change" in stack("plan", template).out

    listed = stack("list").out
    assert "shop" in listed
    assert "settled" in listed
    status = stack("status", "shop").out
    assert all(path in status for path in STANDS), status
    assert "running and healthy" in status
    assert stack("status", "shop", "--under", "web", "-o", "name").out.split() == ["shop/web"]
    stack("status", "shop", "--follow")

    assert stack("logs", "shop/web").out == "serving\n"
    assert "web | serving" in stack("logs", "shop").out
    events = stack.events("shop")
    assert [one["number"] for one in events] == sorted({one["number"] for one in events})
    assert events[-1]["kind"] == "stack.settled"

    assert (
        stack("exec", "shop/web", "--", "sh", "-c", "echo out; echo err >&2; exit 7", code=7).err == "err\n"
    )
    assert stack("exec", "-i", "shop/web", "--", "cat", given="there and back").out == "there and back"
    stack("retry", "shop")

    stack("up", template, "--yes", "-p", "greeting=good evening")
    assert page() == "good evening"
    history = stack("history", "shop", "-o", "json").json
    assert [one["number"] for one in history] == [2, 1]
    assert all(one["settled"] for one in history)
    assert "good evening" in stack("history", "shop", "--show", "2", "-o", "json").out
    stack("rollback", "shop", "--yes")
    assert page() == "hello"
    assert [one["restores"] for one in stack("history", "shop", "-o", "json").json] == [1, 0, 0]
    stack.stands("shop", *STANDS)

    assert stack("image", "build", "debian-12").out.startswith("terrace/debian-12:")
    images = {one["name"]: one for one in stack("image", "list", "-o", "json").json}
    assert images["debian-12"]["present"] is True
    assert stack("flavor", "list", "-o", "name").out.split().count("m1.tiny") == 1
    assert stack("ghost", "list", "-o", "json").json == []
    providers = {one["name"]: one for one in stack("provider", "list", "-o", "json").json}
    assert providers["local"]["reachable"] is True
    assert stack("provider", "show", "local", "-o", "json").json["driver"] == "docker"
    stack("doctor")
    assert stack("server", "status", "-o", "json").json["running"] is True
    assert str(stack.settings) in stack("server", "config").out
    assert "ExecStart=" in stack("server", "install", "--print").out
    assert "debian" in stack("image", "list").out
    assert stack.container("shop", "web") in stack("status", "shop", "-o", "wide").out

    stack("down", "shop", code=1)  # nobody is there to say yes
    stack.stands("shop", *STANDS)
    stack.down("shop")
    assert stack("status", "shop", code=1).err.startswith("error:")


def test_logs_are_followed(terrace: Terrace, tiny_image: str) -> None:
    counting = "n=0; while read line; do n=$((n + 1)); echo $n; done < /tmp/in"
    command = f"mkfifo /tmp/in; {counting}; exec sleep 2147483647"
    terrace.up("talk", {"a": machine(tiny_image, command=command)})
    following = terrace.begin("logs", "talk/a", "--follow")
    try:
        assert following.stdout is not None
        terrace("exec", "talk/a", "--", "sh", "-c", "printf 'x\\ny\\n' > /tmp/in")
        assert [following.stdout.readline() for _ in range(2)] == ["1\n", "2\n"]
    finally:
        following.kill()
        following.communicate()
    terrace.down("talk")


def test_a_shell_on_a_terminal(terrace: Terrace, tiny_image: str) -> None:
    """`exec -it` on a real terminal, with its size."""
    terrace.up("talk", {"a": machine(tiny_image)})
    words = ["python", "-m", "terrace", "exec", "-it", "talk/a", "--", "sh"]
    child, screen = pty.fork()
    if child == 0:
        os.execve(terrace.python, words, terrace.environ)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("4H", 31, 71, 0, 0))
    shown = _read(screen, b"# ")
    os.write(screen, b"tty; stty size; echo is$((40 + 2)); exit 9\n")
    shown += _read(screen, b"")
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9, shown
    assert b"is42" in shown
    assert b"31 71" in shown
    assert b"/dev/pts/" in shown
    terrace.down("talk")


def _read(screen: int, end: bytes) -> bytes:
    """What is shown until `end` (b"": until nobody writes there any more)."""
    shown = b""
    while not (end and end in shown):
        ready, _, _ = select.select([screen], [], [], 30)
        if not ready:
            break
        try:
            shown += os.read(screen, 4096)
        except OSError:
            break
    return shown
