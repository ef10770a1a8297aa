"""A mistake in a document, with the place where it stands."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stands in a document: file name as the user gave it, line and column from 1."""

    file: str = ""
    line: int = 0
    column: int = 0


class Problem(msgspec.Struct, frozen=True, gc=False):
    """One mistake. `severity` is "error" or "warning"; `source` is the line of text it stands on ("" if
    unknown); `length` is how many columns to underline; `code` a stable kebab-case word."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    code: str = "invalid-document"
    severity: str = "error"
    hint: str = ""
    source: str = ""
    length: int = 1


def render(problem: Problem) -> str:
    """A mistake as people read it: what, where, the line itself with the spot underlined, and what to do.
    What a terminal would take for a command is left out."""
    margin = " " * len(str(problem.line)) if problem.line else " "
    lines = [f"{problem.severity}: {_printable(problem.message)}"]
    if problem.file:
        place = f":{problem.line}:{problem.column}" if problem.line else ""
        lines.append(f"{margin}--> {_printable(problem.file)}{place}")
    hint, source = _printable(problem.hint), _printable(problem.source).rstrip()
    if problem.line and source:
        start = max(problem.column, 1) - 1
        before = "".join("\t" if char == "\t" else " " for char in source[:start].ljust(start))
        marks = "^" * max(1, min(problem.length, len(source) - start))
        beside = hint if hint.startswith("did you mean") else ""
        hint = "" if beside else hint
        lines += [
            f"{margin} |",
            f"{problem.line} | {source}",
            f"{margin} | {before}{marks} {beside}".rstrip(),
        ]
    if hint:
        lines.append(f"{margin}help: {hint}")
    return "\n".join(lines)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)
