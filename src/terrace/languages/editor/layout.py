"""One way to lay out templates and environments: sections in order, two spaces a level, a blank line between
sections and between resources. Comments stay with what they stand at; what a document says never changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from terrace.errors import DocumentError, UserError
from terrace.languages.document import LIMITS
from terrace.languages.editor.lines import Head, Is, Line, Lines, Odd
from terrace.languages.hot import template, versions
from terrace.languages.hot.environments import reading as environment
from terrace.languages.report import Report
from terrace.languages.tree import parse

RESOURCES = "resources"
_COMMENT = re.compile(r"^\s*(#.*?)\s*$", re.MULTILINE)


def layout(text: str, file: str = "") -> str:
    """`text` laid out. DocumentError when it cannot be read. JSON, and YAML of an unusual kind (explicit keys,
    several documents, a flow map as its top), is left as it is. Laying out twice is laying out once."""
    before = _read(text, file)
    if not isinstance(before, dict):
        return text
    written = text.replace("\r\n", "\n")
    try:
        result = _arranged(Lines(written), before)
    except Odd:
        return text
    if _read(result, file) != before or _comments(result) != _comments(written):
        message = f'"{file}" cannot be laid out without changing what it says'
        raise UserError(message, code="cannot-format", hint="it was left as it is")
    return result


def _read(text: str, file: str) -> Any:
    report = Report()
    document = parse(text, file, report, LIMITS)
    report.check()
    if document is None:
        raise DocumentError(report.problems())
    return document.root


def _comments(text: str) -> list[str]:
    """What may be comments: all lines that begin with #, in no order."""
    return sorted(_COMMENT.findall(text))


def _arranged(lines: Lines, root: dict[str, Any]) -> str:
    moved = list(lines.moved())
    heads = [head for head in lines.heads if head.depth == 1]
    if not heads:
        raise Odd
    starts = [_with_comments(moved, head.line) for head in heads]
    preface = _trimmed(moved[: starts[0]])
    sections = [
        (head, _section(moved[start:end], head, lines.heads))
        for head, start, end in zip(heads, starts, [*starts[1:], len(moved)], strict=True)
    ]
    if not _tied(lines, heads):
        order = _order(root)
        sections.sort(key=lambda one: order.get(one[0].name, len(order)))
    return _joined([preface, *(section for _, section in sections)])


def _order(root: dict[str, Any]) -> dict[str, int]:
    known = (
        template.SECTIONS
        if versions.VERSION_KEY in root
        else (*environment.SECTIONS, *environment.WITHOUT_EFFECT)
    )
    return {name: place for place, name in enumerate(known)}


def _tied(lines: Lines, heads: Sequence[Head]) -> bool:
    """Whether an alias in one section names an anchor in another: then they stay in their order."""

    def section(line: int) -> int:
        return sum(head.line <= line for head in heads)

    return any(section(lines.anchors.get(name, 0)) != section(line) for name, line in lines.aliases)


def _with_comments(moved: Sequence[Line], start: int) -> int:
    """Where what begins on line `start` begins with the comments right above it."""
    column = moved[start].column
    while start and moved[start - 1].what is Is.COMMENT and moved[start - 1].column == column:
        start -= 1
    return start


def _section(lines: Sequence[Line], head: Head, heads: Sequence[Head]) -> list[Line]:
    """A section: no two blank lines in a row, none below its key, and one between resources."""
    lines = _trimmed(lines)
    inner = {one.line for one in heads if one.depth == 2} if head.name == RESOURCES else set()
    starts = {_with_comments(lines, at) for at, line in enumerate(lines) if line.number in inner}
    first = min(starts, default=0)
    spread = len(_trimmed([line for line in lines if line.what is not Is.BLANK])) > len(starts) + 1
    result: list[Line] = []
    for at, line in enumerate(lines):
        previous = result[-1] if result else None
        if line.what is Is.BLANK:
            if previous is not None and previous.what is not Is.BLANK and previous.number != head.line:
                result.append(line)
            continue
        begins = spread and at in starts and at != first
        if begins and previous is not None and previous.what not in (Is.BLANK, Is.KEPT):
            result.append(Line("", Is.BLANK, 0, line.number))
        result.append(line)
    return result


def _trimmed(lines: Sequence[Line]) -> list[Line]:
    """Without blank lines at both ends."""
    full = [at for at, line in enumerate(lines) if line.what is not Is.BLANK]
    return list(lines[full[0] : full[-1] + 1]) if full else []


def _joined(parts: Sequence[Sequence[Line]]) -> str:
    """All parts with a blank line between them, but for where it would be part of a value."""
    texts: list[str] = []
    last = None
    for part in filter(None, parts):
        if last is not None and last.what is not Is.KEPT and last.text != "---":
            texts.append("")
        texts += [line.text for line in part]
        last = part[-1]
    return "\n".join(texts) + "\n"
