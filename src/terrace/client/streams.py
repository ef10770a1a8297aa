"""What goes on as it happens: events, logs, and programs inside guests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from terrace.client.transport import PATIENCE, Query, Stream, Transport, path_of, target

if TYPE_CHECKING:
    from terrace.client.sse import Watch
    from terrace.client.websocket import WebSocket


class Streams:
    """The live side of one project's stacks."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def events(self, stack: str = "", *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Events numbered above `after`, oldest first, `limit` (5,000 at most) of them; of all stacks when
        `stack` is ""."""
        return self._listed(stack, {"after": after, "limit": limit})

    def newest_events(self, stack: str = "", *, limit: int = 1000) -> list[dict[str, Any]]:
        """The last `limit` (5,000 at most) events, oldest first."""
        return self._listed(stack, {"newest": True, "limit": limit})

    def watch(self, stack: str = "", *, after: int | None = None) -> Watch:
        """Events after number `after` (None: from now on) as they happen; of all stacks when `stack` is "".
        Close it."""

        from terrace.client.sse import Watch

        def open_stream(number: int | None) -> Stream:
            headers = {"Accept": "text/event-stream"}
            query: Query = {"watch": True}
            if number is not None:
                headers["Last-Event-ID"] = str(number)
                query = {"watch": True, "after": number}
            return self._transport.stream("GET", self._events(stack), query, headers=headers)

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

    def _listed(self, stack: str, query: Query) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._transport.get(self._events(stack), query)["items"]
        return events

    def _events(self, stack: str) -> str:
        return self._stack(stack, "events") if stack else path_of("events")

    def _stack(self, stack: str, what: str) -> str:
        return path_of("projects", self._project, "stacks", stack, what)
