"""The engine's way of sending two streams over one connection: frames with a header of 8 bytes."""

from __future__ import annotations

import re
from datetime import datetime

from terrace.ports.driver import Chunk

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$")
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}


class Frames:
    """Takes bytes as they come, gives chunks. `raw`: the guest has a terminal, so there are no frames.
    `stamped`: each piece begins with the engine's time stamp, which becomes Chunk.at."""

    def __init__(self, *, raw: bool = False, stamped: bool = False) -> None:
        self._raw = raw
        self._stamped = stamped
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[Chunk]:
        """The chunks that `piece` completes."""
        if self._raw:
            return self._lines(piece) if self._stamped else [Chunk(piece)]
        self._rest += piece
        chunks: list[Chunk] = []
        while len(self._rest) >= 8:
            size = int.from_bytes(self._rest[4:8], "big")
            if len(self._rest) < 8 + size:
                break
            chunks.append(self._chunk(bytes(self._rest[8 : 8 + size]), _STREAMS.get(self._rest[0], "stdout")))
            del self._rest[: 8 + size]
        return chunks

    def _lines(self, piece: bytes) -> list[Chunk]:
        self._rest += piece
        *whole, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        return [self._chunk(line + b"\n", "stdout") for line in whole]

    def _chunk(self, content: bytes, stream: str) -> Chunk:
        if not self._stamped:
            return Chunk(content, stream)
        stamp, _, text = content.partition(b" ")
        return Chunk(text, stream, epoch(stamp.decode(errors="replace")))


def epoch(stamp: str) -> float:
    """Epoch seconds of the engine's time stamps (RFC 3339, up to nanoseconds); 0 for none."""
    match = _STAMP.match(stamp)
    if match is None or stamp.startswith("0001-"):
        return 0.0
    whole, fraction, zone = match.groups()
    return datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)
