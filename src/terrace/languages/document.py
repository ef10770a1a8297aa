"""A parsed document: a tree of plain data, with the place of every key and value.

Places cost next to nothing: beside each map and list of the tree lies a list of the parser's own marks,
found by the identity of the container. A map's is [start, key, value, key, value, ...], a list's [start,
item, ...].
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from terrace.model.problem import Place

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""")
_WORD = re.compile(r"[^\s,\[\]{}]*[^\s,\[\]{}:]|\S")

Tree = Any
"""None, bool, int, float, str, list[Tree] or dict[str, Tree]. Keys are texts as they were written."""


class Limits(msgspec.Struct, frozen=True):
    """What a document may be: `size` in bytes, `depth` in levels, `nodes` with every alias written out."""

    size: int = 4 * 1024 * 1024
    depth: int = 100
    nodes: int = 1_000_000


LIMITS = Limits()


class Mark(Protocol):
    """A position: line and column from 0."""

    @property
    def line(self) -> int:
        """From 0."""

    @property
    def column(self) -> int:
        """From 0."""


class Spot(msgspec.Struct, frozen=True, gc=False):
    """A position of our own making."""

    line: int
    column: int


TOP = Spot(0, 0)


class Document:
    """A parsed document. `file` is its name as the user gave it, `text` what was parsed, `root` the tree,
    in which what an alias names is shared: nothing in it is ever changed."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.root: Tree = None
        self.marks: dict[int, list[Mark]] = {}
        self.text = text
        self._lines: list[str] | None = None

    def start(self, container: Tree) -> Mark:
        """Where a mapping or sequence of the tree begins."""
        marks = self.marks.get(id(container))
        return marks[0] if marks else TOP

    def key(self, mapping: dict[str, Tree], key: str) -> Mark:
        """Where a key of a mapping stands."""
        return self._find(mapping, key, 1)

    def value(self, container: Tree, key: str | int) -> Mark:
        """Where the value of a key, or an item of a sequence, stands."""
        return self._find(container, key, 2)

    def _find(self, container: Tree, key: str | int, side: int) -> Mark:
        marks = self.marks.get(id(container))
        if marks is None:
            return TOP
        if isinstance(container, list):
            return marks[int(key) + 1] if int(key) + 1 < len(marks) else marks[0]
        for position, known in enumerate(container):
            if known == key:
                return marks[2 * position + side]
        return marks[0]

    def deepest(self, container: Tree, path: tuple[str | int, ...], *, key: bool = False) -> Mark:
        """Where `path` leads to from a container, or as near to it as the document goes. `key`: where the
        last part of the path is named, if it is a key."""
        mark = self.start(container)
        for position, part in enumerate(path):
            if isinstance(container, dict):
                if str(part) not in container:
                    break
                at_key = key and position == len(path) - 1
                mark = self.key(container, str(part)) if at_key else self.value(container, str(part))
                container = container[str(part)]
            elif isinstance(container, list) and isinstance(part, int) and 0 <= part < len(container):
                mark = self.value(container, part)
                container = container[part]
            else:
                break
        return mark

    def place(self, mark: Mark) -> Place:
        """A position as a place: file, line and column from 1."""
        return Place(self.file, mark.line + 1, mark.column + 1)

    def line(self, mark: Mark) -> str:
        """The line of text on which a position lies."""
        if self._lines is None:
            self._lines = _BREAKS.split(self.text)
        return self._lines[mark.line] if mark.line < len(self._lines) else ""

    def length(self, mark: Mark) -> int:
        """How many columns the word at a position takes."""
        line = self.line(mark)
        found = _QUOTED.match(line, mark.column) or _WORD.match(line, mark.column)
        return len(found.group()) if found else 1


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keeps the garbage collector still while many small objects are made: it would go over all of them
    again and again and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
