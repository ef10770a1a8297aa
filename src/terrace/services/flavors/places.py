"""Where in the documents of a wish something stands that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from terrace.model.graph import Node
from terrace.model.problem import Place, Problem
from terrace.model.stack import Source

FARTHEST = 400
"""Lines below the beginning of a resource in which its properties are looked for."""


class Blame:
    """Makes Problems with the place of a value; keeps the lines of each file it has looked into."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines: dict[str, list[str]] = {}

    def __call__(self, node: Node, key: str, value: str, message: str, hint: str, code: str = "") -> Problem:
        """A Problem at `key: value` of the node; at `key` when its value comes from elsewhere, at the node when neither
        is found."""
        problem = Problem(
            message, node.place.file, node.place.line, node.place.column, code or f"unknown-{key}", hint=hint
        )
        lines = self._of(node.place.file)
        place = _find(lines, node.place, key, value)
        if place is None:
            return self.nearer(problem, key)
        text = lines[place.line - 1]
        return msgspec.structs.replace(
            problem, line=place.line, column=place.column, source=text, length=len(value)
        )

    def nearer(self, problem: Problem, key: str) -> Problem:
        """The problem at the value of `key` in the resource that it is at, where that can be found; with the line."""
        lines = self._of(problem.file)
        found = _within(lines, problem.line, problem.column, key)
        line, column, length = found or (problem.line, problem.column, 1)
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        return msgspec.structs.replace(problem, line=line, column=column, length=length, source=text)

    def _of(self, file: str) -> list[str]:
        if file not in self._lines:
            text = self._source.files.get(file, "")
            self._lines[file] = text.splitlines() if isinstance(text, str) else []
        return self._lines[file]


def flavors(problems: Iterable[Problem], source: Source) -> list[Problem]:
    """What is wrong with flavors, each once for a place, at the words that say so."""
    blame, found = Blame(source), dict[tuple[str, int, int], Problem]()
    for problem in problems:
        better = blame.nearer(problem, "flavor")
        found.setdefault((better.file, better.line, better.column), better)
    return list(found.values())


def _find(lines: list[str], start: Place, key: str, value: str) -> Place | None:
    """Where `key: value` stands, searched from the node's own line on for as long as its lines are."""
    pattern = re.compile(
        rf"""(?:^|[\s{{,"'-]){re.escape(key)}["']?\s*:\s*["']?(?P<value>{re.escape(value)})"""
    )
    for number in range(max(start.line, 1), min(start.line + FARTHEST, len(lines)) + 1):
        if match := pattern.search(lines[number - 1]):
            return Place(start.file, number, match.start("value") + 1)
    return None


def _within(lines: list[str], line: int, column: int, key: str) -> tuple[int, int, int] | None:
    """Line, column and length of the value of `key` in what begins at a place and is indented more than that."""
    pattern = re.compile(
        rf"""(?:^|[\s{{,"'-]){re.escape(key)}["']?\s*:\s*(?P<value>\{{[^}}]*\}}|[^\s,}}\]][^,}}\]]*)"""
    )
    for number in range(max(line, 1), min(line + FARTHEST, len(lines)) + 1):
        text = lines[number - 1]
        if number > line and text.strip() and len(text) - len(text.lstrip()) < column:
            return None
        if match := pattern.search(text, column - 1 if number == line else 0):
            return number, match.start("value") + 1, len(match["value"].partition(" #")[0].rstrip())
    return None
