"""From a TOML table to a Struct, key by key: each mistake is reported with its line, all in one go."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from terrace.model.problem import Problem

T = TypeVar("T", bound=msgspec.Struct)

UNITS: dict[str, dict[str, float]] = {
    "duration": {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400},
    "size": {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3},
}
WORDS = {
    "Expected": "expected",
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "text",
    "`bool`": "true or false",
    "`object`": "a table",
    "`array`": "a list",
    "`": '"',
}
EXAMPLES = {"duration": "30s, 10m, 12h", "size": "512K, 16M, 1G"}

_HEADER = re.compile(r"^\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^(\s*)((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")


class Document:
    """A TOML text that knows on which line a key stands; `problems` collects what is wrong with it."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._lines = text.splitlines()
        self._places = dict(_scan(self._lines))

    def place(self, path: tuple[str, ...]) -> tuple[int, int]:
        """Line and column (from 1) of the key, or of the table around it; (0, 0) when there is none."""
        for length in range(len(path), 0, -1):
            if (found := self._places.get(path[:length])) is not None:
                return found
        return (0, 0)

    def blame(self, path: tuple[str, ...], message: str, *, hint: str = "") -> None:
        """Notes a mistake at the key `path`."""
        line, column = self.place(path)
        source = self._lines[line - 1] if line else ""
        where = ".".join(path)
        self.problems.append(
            Problem(
                f"{where}: {message}" if where else message,
                file=self.file,
                line=line,
                column=column,
                code="invalid-settings",
                hint=hint,
                source=source,
                length=len(path[-1]) if path else 1,
            )
        )

    def blame_unknown(self, path: tuple[str, ...], known: Iterable[str]) -> None:
        """Notes that there is no setting with this name."""
        names = sorted(known)
        close = difflib.get_close_matches(path[-1], names, 1)
        hint = f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(names)}"
        self.blame(path, "there is no such setting", hint=hint)


def read_struct(document: Document, kind: type[T], table: Any, path: tuple[str, ...]) -> T | None:
    """`table`, which stands at `path`, as a `kind`; None when there were mistakes (noted in the document)."""
    if not isinstance(table, Mapping):
        document.blame(path, "must be a table", hint=f"write [{'.'.join(path)}]")
        return None
    before = len(document.problems)
    types = typing.get_type_hints(kind, include_extras=True)
    names = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in names:
            document.blame_unknown((*path, key), names)
            continue
        try:
            values[key] = msgspec.convert(_plain(value, types[names[key].name]), types[names[key].name])
        except (msgspec.ValidationError, ValueError) as error:
            document.blame((*path, key), _words(str(error)))
    for key, field in names.items():
        if field.required and key not in table:
            document.blame((*path, key), "is required")
    if len(document.problems) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:  # its own check of how the fields fit together
        document.blame(path, str(error))
        return None


def _plain(value: Any, kind: Any) -> Any:
    """Text with a unit as a number, where the field has one."""
    if not isinstance(value, str) or typing.get_origin(kind) is not Annotated:
        return value
    unit = next((meta.extra["unit"] for meta in kind.__metadata__ if getattr(meta, "extra", None)), "")
    if not unit:
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)(?:i?b)?\s*", value.lower())
    if match is None or match[2] not in UNITS[unit]:
        raise ValueError(f'"{value}" is not a {unit}: write a number, or text such as {EXAMPLES[unit]}')
    number = float(match[1]) * UNITS[unit][match[2]]
    return int(number) if unit == "size" else number


def _words(message: str) -> str:
    for said, better in WORDS.items():
        message = message.replace(said, better)
    return message


def _scan(lines: list[str]) -> Iterable[tuple[tuple[str, ...], tuple[int, int]]]:
    """Where each table and key is written first."""
    table: tuple[str, ...] = ()
    seen: set[tuple[str, ...]] = set()
    for number, line in enumerate(lines, 1):
        if match := _KEY.match(line):
            found, column = (*table, *_parts(match[2])), len(match[1]) + 1
        elif match := _HEADER.match(line):
            table = found = _parts(match[1])
            column = line.index("[") + 1
        else:
            continue
        for length in range(1, len(found) + 1):
            if found[:length] not in seen:
                seen.add(found[:length])
                yield found[:length], (number, column)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(next(part for part in parts if part) for parts in _PART.findall(text) if any(parts))
