"""The socket: whose it is, and who is let in."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path

import pytest

from terrace.api.listen import bound, listen, owner_only
from terrace.errors import ConflictError, UserError


@pytest.mark.parametrize(("uid", "let_in"), [(os.getuid(), True), (0, True), (12345, False)])
def test_everybody_but_the_owner_is_turned_away(
    uid: int, let_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Peer:
        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            assert (level, option) == (socket.SOL_SOCKET, socket.SO_PEERCRED)
            return struct.pack("3i", 1, uid, 1)

    assert (owner_only(Peer(), "") is not None) is let_in  # type: ignore[arg-type]


def test_the_socket_is_the_owners_alone_and_goes_away_again(tmp_path: Path) -> None:
    path = tmp_path / "run" / "s.sock"
    with listen(str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(ConflictError, match="something else answers"), listen(str(path)):
            pass
        assert path.exists()
    assert not path.exists()


def test_folders_and_files_that_are_in_the_way(tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    with pytest.raises(ConflictError), listen(str(open_folder / "s.sock")):
        pass
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError), listen(str(tmp_path / "file" / "s.sock")):
        pass


def test_where_it_cannot_listen() -> None:
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConflictError, match="something else listens") as refused:
            bound("127.0.0.1", port)
        assert refused.value.code == "address-in-use"
    for host in ("192.0.2.1", "no such name"):
        with pytest.raises(UserError) as refused_too:
            bound(host, port)
        assert refused_too.value.code == "cannot-listen"
