"""Server-sent events: read from a thread of its own, so that whoever follows can also draw, keep time and be
interrupted."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from terrace.client.errors import UnreachableError
from terrace.client.transport import Stream

PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds between attempts to connect again; the last one repeats."""

Batch = list[dict[str, Any]]
Opener = Callable[[int | None], Stream]


class Watch:
    """Events in batches, as they come. When the connection breaks it connects again and goes on after the
    last event it gave out.

    `opener` opens the stream after an event number (None: from now on). `patience`: seconds without a
    connection after which it gives up with UnreachableError. An ApiError of the opener ends it at once.
    """

    def __init__(self, opener: Opener, after: int | None = None, *, patience: float = 30.0) -> None:
        self.after = after
        self._opener = opener
        self._patience = patience
        self._queue: queue.SimpleQueue[Batch | Exception] = queue.SimpleQueue()
        # what is wrong with the request shows here, in the caller's thread
        self._stream: Stream | None = opener(after)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terrace-watch", daemon=True)
        self._thread.start()

    def batches(self, tick: float = 1.0) -> Iterator[Batch]:
        """Batches of events; an empty one after each `tick` seconds in which nothing came."""
        while True:
            try:
                item = self._queue.get(timeout=tick)
            except queue.Empty:
                yield []
                continue
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        """Stops reading."""
        self._closed.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:  # also what nobody foresaw: whoever waits must hear of it
            self._queue.put(error)

    def _read(self) -> None:
        lost = time.monotonic()
        attempt = 0
        while not self._closed.is_set():
            try:
                if self._stream is None:
                    self._stream = self._opener(self.after)
                lost, attempt = self._pump(self._stream), 0
            except UnreachableError:
                if time.monotonic() - lost > self._patience:
                    raise
            self._stream = None
            self._closed.wait(PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1

    def _pump(self, stream: Stream) -> float:
        """Reads until the connection ends; when that was (monotonic seconds)."""
        rest = b""
        try:
            while data := stream.response.read1(1 << 16):
                batch, rest = parse(rest + data)
                if batch:
                    self.after = batch[-1].get("number", self.after)
                    self._queue.put(batch)
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            # a broken connection, or one closed under our hands (http.client then meets None): both end the
            # stream
            pass
        stream.close()
        return time.monotonic()


def parse(data: bytes) -> tuple[Batch, bytes]:
    """The complete events in `data`, and the bytes after the last of them."""
    *blocks, rest = data.replace(b"\r\n", b"\n").split(b"\n\n")
    numbers: list[int] = []
    documents: list[bytes] = []
    for block in blocks:
        number, lines = 0, []
        for line in block.split(b"\n"):
            if line.startswith(b"data:"):
                lines.append(line[5:])
            elif line.startswith(b"id:") and line[3:].strip().isdigit():
                number = int(line[3:])
        if lines:
            numbers.append(number)
            documents.append(b"\n".join(lines))
    if not documents:
        return [], rest
    batch: Batch = json.loads(b"[" + b",".join(documents) + b"]")
    for number, event in zip(numbers, batch, strict=True):
        if number:
            event["number"] = number
    return batch, rest
