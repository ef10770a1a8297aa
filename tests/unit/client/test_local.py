"""Finding, starting and stopping the local server; a small program stands in for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrace.client import UnreachableError, local

SERVER = """
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(os.environ["TERRACE_STATE"] + "/server.sock")
listening.listen()
while True:
    listening.accept()[0].close()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program in the place of `python -m terrace`."""

    def write(text: str) -> local.Local:
        folder = tmp_path / "lib" / "terrace"
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(folder.parent))
        monkeypatch.setenv("TERRACE_STATE", str(tmp_path / "state"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        return local.locate()

    return write


def test_it_is_started_once_and_stopped(package) -> None:
    where = package(SERVER)
    said: list[str] = []
    assert local.ensure(said.append, where) == where.address
    pid = local.server_pid(where.address)
    try:
        assert local.ensure(said.append, where) == where.address
        assert len(said) == 1
        assert said[0].startswith(f"started the local server (pid {pid}, ")
        assert (Path(where.state).stat().st_mode & 0o777) == 0o700
    finally:
        assert local.stop(where.address) == pid
    assert local.stop(where.address) == 0


def test_when_it_dies_its_last_words_are_told(package) -> None:
    where = package("import sys; print('error: the disk is full', file=sys.stderr); sys.exit(4)")
    with pytest.raises(UnreachableError) as caught:
        local.ensure(print, where)
    assert caught.value.message == "the local server ended with exit code 4\n  | error: the disk is full"
    assert caught.value.hint == f"its log is {where.log}"


def test_one_that_could_not_even_write_why(package, monkeypatch: pytest.MonkeyPatch) -> None:
    where = package("raise SystemExit(1)")

    class Full:
        f_bavail = 0

    monkeypatch.setattr(local.os, "statvfs", lambda path: Full)
    with pytest.raises(UnreachableError, match=f"the state folder {where.state} is full"):
        local.ensure(print, where)


def test_a_state_folder_that_cannot_be_made(package, tmp_path: Path) -> None:
    where = package(SERVER)
    (tmp_path / "state").write_text("a file, not a folder")
    with pytest.raises(UnreachableError, match="cannot be written"):
        local.ensure(print, where)


def test_where_things_are(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": str(tmp_path)}
    where = local.locate(environ)
    assert (where.state, where.socket) == ("/s/terrace", "/s/terrace/server.sock")
    assert local.locate({**environ, "TERRACE_STATE": "/t"}).state == "/t"
    (tmp_path / "terrace").mkdir()
    (tmp_path / "terrace" / "server.toml").write_text('state = "/elsewhere"\n')
    assert local.locate(environ).log == "/elsewhere/server.log"
    (tmp_path / "terrace" / "server.toml").write_text('socket = "/run/t.sock"\nnot toml')
    assert local.locate(environ).socket == "/s/terrace/server.sock"
