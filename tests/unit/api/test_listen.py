"""The socket: whose it is, and who is let in."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from terrace.api.listen import OwnerProtocol, listen
from terrace.errors import ConflictError, UserError


class Peer:
    """A transport whose other end belongs to `uid`."""

    def __init__(self, uid: int) -> None:
        self._uid = uid
        self.aborted = False

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_PEERCRED)
        return struct.pack("3i", 1, self._uid, 1)

    def getsockname(self) -> str:
        return "server.sock"

    def getpeername(self) -> str:
        return ""

    def get_extra_info(self, name: str) -> Any:
        return self if name == "socket" else None

    def is_closing(self) -> bool:
        return self.aborted

    def close(self) -> None:
        """Called at the end, however it came."""

    def abort(self) -> None:
        self.aborted = True


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI app that is never called."""


@pytest.mark.parametrize(("uid", "let_in"), [(os.getuid(), True), (0, True), (12345, False)])
async def test_everybody_but_the_owner_is_hung_up_on(uid: int, let_in: bool) -> None:
    config = uvicorn.Config(
        app=_nothing, interface="asgi3", lifespan="off", log_config=None, ws="none", http=OwnerProtocol
    )
    config.load()
    state = ServerState()
    protocol = OwnerProtocol(config=config, server_state=state, app_state={})
    peer = Peer(uid)
    protocol.connection_made(peer)  # type: ignore[arg-type]
    assert peer.aborted is not let_in
    assert bool(state.connections) is let_in
    protocol.connection_lost(None)
    assert not state.connections


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
