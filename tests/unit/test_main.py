"""The server as a process: `python -m terrace serve` on a socket of its own, with a simulated provider."""

from __future__ import annotations

import signal
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from terrace.client import ApiError
from terrace.client.transport import dial
from tests.unit.served import PIN, REQUEST, Server


def test_it_serves_its_owner_alone_and_ends_in_good_order(server: Callable[..., Server]) -> None:
    one = server().start()
    for name, mode in (("", 0o700), ("server.sock", 0o600), ("terrace.db", 0o600), ("server.log", 0o600)):
        assert stat.S_IMODE((one.state / name).stat().st_mode) == mode, name
    stack = one.client.stacks.apply("shop", REQUEST, wait=20)
    assert stack["phase"] == "settled"
    watching = one.client.streams.watch("shop", after=0)
    assert next(batch for batch in watching.batches() if batch)[0]["number"] == 1
    assert one.end() == 0
    watching.close()
    assert not (one.state / "server.sock").exists()
    assert "server.stopping" in (one.state / "server.log").read_text()


def test_it_is_small_and_soon_ready(server: Callable[..., Server]) -> None:
    one = server().start()
    assert one.process is not None
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 100_000, f"{resident} kB"


def test_what_was_wanted_is_there_after_a_kill(server: Callable[..., Server]) -> None:
    one = server().start()
    one.client.stacks.apply("shop", REQUEST)
    one.end(signal.SIGKILL)
    one.start()
    assert one.client.stacks.get("shop")["generation"] == 1
    assert one.end() == 0


def test_a_hidden_parameter_is_in_no_file(server: Callable[..., Server]) -> None:
    one = server().start()
    one.client.stacks.apply("shop", REQUEST, wait=20)
    one.client.stacks.plan("shop", REQUEST)
    with pytest.raises(ApiError):
        one.client.stacks.apply("shop", {**REQUEST, "template": "none"})
    files = [path.read_bytes() for path in one.state.iterdir() if path.is_file()]
    assert one.end() == 0
    files += [path.read_bytes() for path in one.state.iterdir() if path.is_file()]
    assert not [data for data in files if PIN.encode() in data]


def test_a_second_server_on_one_state_folder(server: Callable[..., Server]) -> None:
    one = server().start()
    code, said = one.refuse()
    assert code == 4
    assert said.startswith("error: ")
    assert str(one.state) in said
    assert "help: " in said
    assert one.client.version()["version"]


def test_a_database_of_a_newer_version(server: Callable[..., Server]) -> None:
    one = server().start()
    assert one.end() == 0
    with sqlite3.connect(one.state / "terrace.db") as database:
        database.execute("UPDATE schema_version SET version = 1000")
        database.execute("INSERT OR REPLACE INTO identity (key, value) VALUES ('compatible_from', '1000')")
    code, said = one.refuse()
    assert code == 4
    assert "newer" in said


def test_a_state_folder_that_cannot_be(server: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = server(f'state = "{tmp_path}/file/state"\n').refuse()
    assert (code, "cannot be made" in said) == (1, True)


def test_a_state_folder_that_others_may_write_into(server: Callable[..., Server]) -> None:
    one = server()
    one.state.mkdir()
    one.state.chmod(0o777)
    code, said = one.refuse()
    assert (code, "chmod go-w" in said) == (4, True)


def test_settings_that_are_wrong(server: Callable[..., Server]) -> None:
    code, said = server('[providers.local]\ndriver = "dokker"\n[limits]\nbody = "x"\n').refuse()
    assert code == 1
    assert "server.toml:5:1" in said
    assert "limits.body" in said
    code, said = server('[providers.local]\ndriver = "dokker"\n').refuse()
    assert (code, 'no driver "dokker"' in said, "server.toml:3:1" in said) == (1, True, True)
    code, said = server('[providers.local]\ndriver = "sim"\nlagg = 3\n').refuse()
    assert (code, 'did you mean "lag"?' in said, "server.toml:4:1" in said) == (1, True, True)


def test_settings_are_printed_and_checked(server: Callable[..., Server]) -> None:
    one = server()
    printed, _ = one.spawn("--settings").communicate(timeout=30)
    assert "# [providers.local]" in printed
    checked = one.spawn("--check")
    said, _ = checked.communicate(timeout=30)
    assert (checked.returncode, "fine" in said) == (0, True)


def test_a_socket_that_was_left_behind_is_taken_away(server: Callable[..., Server]) -> None:
    one = server()
    one.state.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(one.state / "server.sock"))
    one.start()
    assert one.end() == 0


def test_a_socket_path_that_is_too_long_for_the_kernel(server: Callable[..., Server], tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / "state"
    one = server(f'state = "{deep}"\n[providers.local]\ndriver = "sim"\n')
    one.state = deep
    one.start()
    assert one.end() == 0


def test_a_body_of_100_megabytes_is_refused_before_it_came(server: Callable[..., Server]) -> None:
    one = server().start()
    with dial(one.client.address, 10) as connection:
        head = "PUT /v1/projects/default/stacks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    with dial(one.client.address, 10) as connection:
        head = (
            "PUT /v1/projects/default/stacks/shop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        sent = 0
        try:
            for _ in range(1600):
                connection.sendall(chunk)
                sent += 65536
        except OSError:
            pass
        assert sent < 48 * 1024**2
    assert one.client.version()["version"]


def test_a_program_inside_a_machine(server: Callable[..., Server]) -> None:
    one = server().start()
    one.client.stacks.apply("shop", REQUEST, wait=20)
    session = one.client.streams.exec("shop", "web", ["cat"])
    session.send(b"\x00hello")
    session.send(b"\x05")
    messages: list[bytes] = []
    while session.closed is None:
        messages += session.receive()
    session.close()
    assert b"hello" in b"".join(data[1:] for data in messages if data[0] == 1)
    assert messages[-1] == b"\x040"
    with pytest.raises(ApiError) as refused:
        one.client.streams.exec("shop", "nothing", ["cat"])
    assert refused.value.status == 404
