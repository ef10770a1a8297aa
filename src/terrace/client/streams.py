"""What goes on as it happens: events, logs, and programs inside guests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from terrace.client.pages import items
from terrace.client.transport import PATIENCE, Query, Stream, Transport, path_of, target

if TYPE_CHECKING:
    from terrace.client.sse import Watch
    from terrace.client.websocket import WebSocket


class Events(NamedTuple):
    """Which events: those of one `stack` ("": of all stacks of the project, or `everywhere` of the installation); of
    kinds that begin with `kind`; about what is at or below `path`; from `since` (epoch seconds) on."""

    stack: str = ""
    everywhere: bool = False
    kind: str = ""
    path: str = ""
    since: float = 0.0

    def query(self) -> dict[str, Any]:
        """What the server is asked for besides the stack."""
        asked = {"kind": self.kind, "path": self.path, "since": self.since}
        return {name: value for name, value in asked.items() if value}


Of = Events | str
"""Which events, or the name of a stack ("": the whole project)."""


def _scope(of: Of) -> Events:
    return Events(of) if isinstance(of, str) else of


class Streams:
    """The live side of one project's stacks."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def events(self, of: Of = "", *, after: int = 0, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Events numbered above `after`, oldest first, up to `limit` of them."""
        scope = _scope(of)
        return items(self._transport, self._events(scope), {**scope.query(), "after": after}, limit)

    def newest_events(self, of: Of = "", *, limit: int = 1000) -> list[dict[str, Any]]:
        """The last `limit` (5,000 at most) events, oldest first."""
        scope = _scope(of)
        query = {**scope.query(), "newest": True, "limit": limit}
        found: list[dict[str, Any]] = self._transport.get(self._events(scope), query)["items"]
        return found

    def watch(self, of: Of = "", *, after: int | None = None) -> Watch:
        """Events after number `after` (None: from now on) as they happen. Close it."""
        from terrace.client.sse import Watch

        scope = _scope(of)

        def open_stream(number: int | None) -> Stream:
            headers = {"Accept": "text/event-stream"}
            query: Query = {"watch": True, **scope.query()}
            if number is not None:
                headers["Last-Event-ID"] = str(number)
                query = {**query, "after": number}
            return self._transport.stream("GET", self._events(scope), query, headers=headers)

        return Watch(open_stream, after)

    def logs(
        self, stack: str, path: str = "", *, tail: int | None = None, follow: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Lines of what machines wrote: {path, stream, at, text}. `path` "" is the whole stack."""
        query = {"path": path or None, "tail": tail, "follow": follow}
        return self._transport.lines(self._transport.stream("GET", self._stack(stack, "logs"), query))

    def exec(self, stack: str, path: str, command: Sequence[str], *, tty: bool = False) -> WebSocket:
        """Starts `command` in a machine. Binary messages: the first byte is 0 stdin, 1 stdout, 2 stderr, 3
        resize (JSON {rows, columns}), 4 exit code (decimal text), 5 end of stdin."""
        from terrace.client.websocket import connect

        where = target(self._stack(stack, "exec"), {"path": path, "tty": tty, "cmd": list(command)})
        return connect(self._transport.address, where, self._transport.credential, PATIENCE)

    def _events(self, of: Events) -> str:
        if of.stack:
            return self._stack(of.stack, "events")
        return path_of("events") if of.everywhere else path_of("projects", self._project, "events")

    def _stack(self, stack: str, what: str) -> str:
        return path_of("projects", self._project, "stacks", stack, what)
