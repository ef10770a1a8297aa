"""Log lines: JSON for programs, or one line each for people, in a file that is turned over as it grows."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import msgspec

from terrace.api.telemetry.measures import Measures
from terrace.ports.telemetry import Metric, Telemetry, Values

SIZE, KEPT = 10 * 1024**2, 3
"""Bytes of a log file until it is turned over, and how many old ones are kept."""
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_INNER = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Log(Telemetry):
    """Implements ports.Telemetry: lines go to `write`, as `form` makes them; `level` is the least that is written."""

    def __init__(
        self, write: Callable[[bytes], None], form: Callable[[Mapping[str, Any]], bytes], level: str = "info"
    ) -> None:
        self.measures = Measures()
        self._write = write
        self._form = form
        self._least = LEVELS[level]

    def log(self, level: str, event: str, **fields: Any) -> None:
        """One line."""
        if LEVELS[level] >= self._least:
            stamp = datetime.datetime.now(datetime.UTC).isoformat().removesuffix("+00:00") + "Z"
            self._write(self._form({"timestamp": stamp, "level": level, "event": event, **fields}))

    def count(self, metric: Metric, *labels: str) -> None:
        """One more."""
        self.measures.count(metric, labels)

    def took(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Another entry."""
        self.measures.took(metric, seconds, labels)

    def gauge(self, metric: Metric, read: Callable[[], Values]) -> None:
        """`read` is asked when somebody looks."""
        self.measures.gauge(metric, read)

    def measured(self) -> str:
        """All of it."""
        return self.measures.text()


def as_json(fields: Mapping[str, Any]) -> bytes:
    """A line for programs."""
    return msgspec.json.encode(fields, enc_hook=str) + b"\n"


def pretty(fields: Mapping[str, Any]) -> bytes:
    """A line for people: the time, how bad it is, what happened, and what there is to say of it."""
    rest = dict(fields)
    head = f"{rest.pop('timestamp')[11:23]} {rest.pop('level'):<7} {rest.pop('event'):<24}"
    trace = rest.pop("exception", "")
    said = " ".join(f"{key}={_word(value)}" for key, value in rest.items())
    return f"{head} {said}".rstrip().encode() + b"\n" + (f"{trace}\n".encode() if trace else b"")


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    return text if text.isprintable() and " " not in text and text else msgspec.json.encode(text).decode()


FORMS: dict[str, Callable[[Mapping[str, Any]], bytes]] = {"json": as_json, "pretty": pretty}


class LogFile:
    """The file at `path`, mode 0600; as it passes `size` bytes it becomes path.1, what was that path.2, and so on.
    Writing never fails: a full disk must not stop the server for the sake of its log."""

    def __init__(self, path: str, size: int = SIZE, kept: int = KEPT) -> None:
        self._path = path
        self._size = size
        self._kept = kept
        self._open()

    def _open(self) -> None:
        self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(self._handle, 0o600)
        self._written = os.fstat(self._handle).st_size

    def write(self, line: bytes) -> None:
        """Appends a line."""
        with contextlib.suppress(OSError):
            if self._written + len(line) > self._size:
                self._turn_over()
            self._written += os.write(self._handle, line)

    def _turn_over(self) -> None:
        for number in range(self._kept - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        os.replace(self._path, f"{self._path}.1")
        os.close(self._handle)
        self._open()


class _Libraries(logging.Handler):
    """What libraries log, from warnings on, in the same words as ours."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        fields: dict[str, Any] = {"logger": record.name}
        fields |= {key: value for key, value in vars(record).items() if key not in _INNER}
        if record.exc_info:
            fields["exception"] = logging.Formatter().formatException(record.exc_info)
        level = record.levelname.lower()
        self._log.log(level if level in LEVELS else "error", record.getMessage(), **fields)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- its name
        """A line that cannot be written is lost, and nothing else."""


def open_log(path: str, form: str = "json", level: str = "info") -> Log:
    """A log into the file at `path` ("-": standard error), which also takes what libraries have to say. `form` is json
    or pretty."""
    log = Log(_stream(sys.stderr) if path == "-" else LogFile(path).write, FORMS[form], level)
    root = logging.getLogger()
    root.handlers[:] = [_Libraries(log)]
    root.setLevel(logging.WARNING)
    return log


def _stream(stream: TextIO) -> Callable[[bytes], None]:
    handle = stream.fileno()

    def write(line: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(handle, line)

    return write
