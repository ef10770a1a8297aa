"""/v1/projects/{project}/stacks/{stack}/logs and /exec: the way into machines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response, WebSocket
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, line
from terrace.api.problems import respond, view_of
from terrace.api.stacks import STACK
from terrace.errors import TerraceError
from terrace.ports.driver import Session
from terrace.services.guests import Line

router = APIRouter(tags=["guests"])
NDJSON = "application/x-ndjson"
STDIN, STDOUT, STDERR, RESIZE, EXIT, CLOSE_STDIN = range(6)
"""The first byte of each message of an exec."""
INTERNAL = 1011
"""The WebSocket close code for "something went wrong here"."""


class Resize(msgspec.Struct):
    """The size of a terminal, in characters."""

    rows: Annotated[int, msgspec.Meta(ge=1, le=10000)]
    columns: Annotated[int, msgspec.Meta(ge=1, le=10000)]


@router.get(
    STACK + "/logs",
    responses=gives(
        Line,
        "One JSON object per line. A line with `code` and `message` is an error, and the last",
        media=NDJSON,
        example={"path": "web", "stream": "stdout", "at": 1767225600.0, "text": "listening"},
        fails=[404, 409, 503],
    ),
)
async def read_logs(
    at: At,
    services: Uses,
    caller: Caller,
    *,
    path: str = "",
    tail: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    follow: bool = False,
) -> Response:
    """What the machines at or below `path` wrote, `tail` lines of each, merged; with `follow` on as it
    comes."""
    lines = await services.inside.logs(caller, at, path, tail=tail, follow=follow)
    return StreamingResponse(_written(lines), media_type=NDJSON)


async def _written(lines: AsyncIterator[Line]) -> AsyncIterator[bytes]:
    try:
        async for one in lines:
            yield line(one)
    except TerraceError as error:
        yield line(view_of(error))


@router.websocket(STACK + "/exec")
async def run_inside(
    socket: WebSocket,
    at: At,
    services: Uses,
    caller: Caller,
    path: str = "",
    tty: bool = False,
    cmd: Annotated[list[str] | None, Query()] = None,
) -> None:
    """Runs `cmd` (repeated, one for each word) in the machine at `path`. Binary messages both ways, the first
    byte says what the rest is: 0 stdin, 1 stdout, 2 stderr, 3 resize (JSON), 4 exit code (the end), 5 end of
    stdin. A refusal is an ordinary HTTP response with a problem document."""
    try:
        session = await services.inside.exec(caller, at, path, cmd or [], tty=tty)
    except TerraceError as error:
        await socket.send_denial_response(respond(error))
        return
    await socket.accept()
    typing = asyncio.ensure_future(_typed(socket, session))
    try:
        async for chunk in session.output():
            kind = STDERR if chunk.stream == "stderr" else STDOUT
            await socket.send_bytes(bytes((kind,)) + chunk.data)
        await socket.send_bytes(bytes((EXIT,)) + str(await session.wait()).encode())
        await socket.close()
    except TerraceError as error:
        await socket.close(INTERNAL, error.message.encode()[:120].decode("utf-8", "ignore"))
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side left; what it started goes on or ends as its standard input does
    finally:
        typing.cancel()
        with contextlib.suppress(asyncio.CancelledError, TerraceError, WebSocketDisconnect):
            await typing


async def _typed(socket: WebSocket, session: Session) -> None:
    """What the other side types, into the session, until it leaves."""
    try:
        while True:
            message = await socket.receive_bytes()
            kind, rest = message[:1], message[1:]
            if kind == bytes((STDIN,)):
                await session.write(rest)
            elif kind == bytes((CLOSE_STDIN,)):
                await session.close_input()
            elif kind == bytes((RESIZE,)):
                with contextlib.suppress(msgspec.MsgspecError):
                    size = msgspec.json.decode(rest, type=Resize)
                    await session.resize(size.rows, size.columns)
    except (WebSocketDisconnect, KeyError):
        with contextlib.suppress(TerraceError):
            await session.close_input()
