"""Where measurements and log lines go."""

from __future__ import annotations

from typing import Any, Protocol


class Telemetry(Protocol):
    """Structured log lines; measurements come with the server issue."""

    def log(self, level: str, event: str, **fields: Any) -> None:
        """One line: `level` is debug, info, warning or error; `event` a dotted word; fields free of secrets."""
