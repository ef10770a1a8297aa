"""The lines of a YAML document, and to which column each has to move so that every level is two further in.

The parser's tokens say where maps and lists begin and end; what lies between tokens (comments, blank lines) is
kept. Nothing is written anew: a line moves as a whole, and only the gap behind a dash is made one space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser

STEP = 2
_BLOCK = re.compile(r"[|>](?P<chomp>[+-]?)(?P<indent>[1-9]?)(?P<after>[+-]?)")
_ODD = re.compile("[\r\x85\u2028\u2029\ufeff]")
_STARTS = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_ENDS = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_VALUES = (yaml.ScalarToken, yaml.AliasToken, yaml.AnchorToken, yaml.TagToken)
_FRAMING = (yaml.StreamStartToken, yaml.StreamEndToken, yaml.FlowEntryToken)


class Odd(Exception):
    """The document is written in a way that is left as it is."""


class Is(Enum):
    """What a line is. INSIDE: it goes on with a value that began above; KEPT: so, and blank lines behind it
    would be part of the value."""

    BLANK = "blank"
    COMMENT = "comment"
    CODE = "code"
    INSIDE = "inside"
    KEPT = "kept"


class Line(NamedTuple):
    """A line as it is to be written, `column` where it begins. `number` is where it stood, from 0."""

    text: str
    what: Is
    column: int
    number: int


class Head(NamedTuple):
    """A key of the outermost map (`depth` 1) or of a map in it (2), and the line it stands on."""

    name: str
    line: int
    depth: int


class _Frame(NamedTuple):
    """A map or list that is open: its column, and the one it is to have. `loose`: a list whose dashes stand
    no further in than the key above; the parser does not tell of its beginning and end."""

    old: int
    new: int
    is_list: bool = False
    loose: bool = False


class _Span(NamedTuple):
    """How the lines of a value that goes on over several lines move: by what is between `old` and `new`, but not
    left of `least`. `literal`: every space behind `old` counts."""

    old: int
    new: int
    least: int = 0
    literal: bool = False
    kept: bool = False


class Lines:
    """Reads a document. `heads` are the keys of the two outermost levels; `anchors` and `aliases` name what
    stands on which line."""

    def __init__(self, text: str) -> None:
        if _ODD.search(text):
            raise Odd
        self.texts = text.removesuffix("\n").split("\n")
        self.heads: list[Head] = []
        self.anchors: dict[str, int] = {}
        self.aliases: list[tuple[str, int]] = []
        self._ended = text.endswith("\n")
        self._frames: list[_Frame] = []
        self._code: dict[int, _Frame] = {}
        self._around: dict[int, tuple[_Frame, ...]] = {}
        self._inside: dict[int, _Span] = {}
        self._shift: dict[int, int] = {}
        self._gaps: dict[int, list[tuple[int, int]]] = {}
        self._blocks: set[int] = set()
        self._named = False
        self._walk(text)

    # --- reading

    def _walk(self, text: str) -> None:
        depth, began = 0, None
        for token in _tokens(text):
            if isinstance(token, _STARTS):
                if not depth:
                    self._value(token)
                    began = token
                depth += 1
            elif isinstance(token, _ENDS):
                depth -= 1
                if not depth and began is not None:
                    self._continued(began, token, at_least=0)
            elif not depth:
                self._token(token)
            elif isinstance(token, yaml.AliasToken | yaml.AnchorToken):
                self._anchor(token)

    def _token(self, token: Any) -> None:
        if isinstance(token, yaml.BlockMappingStartToken | yaml.BlockSequenceStartToken):
            is_list = isinstance(token, yaml.BlockSequenceStartToken)
            self._frames.append(_Frame(token.start_mark.column, self._below(), is_list))
        elif isinstance(token, yaml.BlockEndToken):
            self._close_loose()
            self._frames.pop()
        elif isinstance(token, yaml.BlockEntryToken):
            self._entry(token)
        elif isinstance(token, yaml.KeyToken):
            self._key(token)
        elif isinstance(token, _VALUES):
            self._value(token)
        elif isinstance(token, yaml.DocumentStartToken):
            self._document(token)
        elif isinstance(token, yaml.ValueToken):
            if not self.texts[token.start_mark.line][: token.start_mark.column].strip():
                raise Odd
        elif not isinstance(token, _FRAMING):
            raise Odd

    def _below(self) -> int:
        return self._frames[-1].new + STEP if self._frames else 0

    def _close_loose(self) -> None:
        if self._frames and self._frames[-1].loose:
            self._frames.pop()

    def _document(self, token: Any) -> None:
        line = token.start_mark.line
        if self.texts[line].rstrip() != "---":
            raise Odd
        self._code[line] = _Frame(0, 0)
        self._around[line] = ()

    def _entry(self, token: Any) -> None:
        """A dash."""
        line, column = token.start_mark.line, token.start_mark.column
        if not self._frames[-1].is_list:
            self._frames.append(_Frame(column, self._below(), is_list=True, loose=True))
        self._begin(line, column, self._frames[-1].new)
        self._around[line] = tuple(self._frames)
        rest = self.texts[line][column + 1 :]
        word = rest.lstrip(" \t")
        if word and not word.startswith("#"):
            gap = len(rest) - len(word)
            self._gaps.setdefault(line, []).append((column + 1, gap))
            self._shift[line] = self._shift.get(line, 0) + 1 - gap

    def _key(self, token: Any) -> None:
        line, column = token.start_mark.line, token.start_mark.column
        text = self.texts[line]
        if text[column] == "?" and text[column + 1 : column + 2].strip() == "":
            raise Odd
        self._close_loose()
        self._begin(line, column, self._frames[-1].new)
        self._around[line] = tuple(self._frames)
        self._named = len(self._frames) <= 2

    def _value(self, token: Any) -> None:
        """A scalar, an alias, or the beginning of a flow collection."""
        line, column = token.start_mark.line, token.start_mark.column
        if self._named and isinstance(token, yaml.ScalarToken):
            self.heads.append(Head(token.value, line, len(self._frames)))
            self._named = False
        self._anchor(token)
        if line not in self._code and not self.texts[line][:column].strip():
            self._begin(line, column, self._below())
            self._around[line] = (*self._frames, _Frame(column, self._below()))
        if isinstance(token, yaml.ScalarToken) and token.end_mark.line > line:
            if token.style in ("|", ">"):
                self._literal(token)
            else:
                self._continued(token, token, at_least=self._below())

    def _anchor(self, token: Any) -> None:
        if isinstance(token, yaml.AnchorToken):
            self.anchors[token.value] = token.start_mark.line
        elif isinstance(token, yaml.AliasToken):
            self.aliases.append((token.value, token.start_mark.line))

    def _begin(self, line: int, column: int, new: int) -> None:
        """Something begins; if it is the first in its line, the line moves with it."""
        before = self.texts[line][:column]
        if line not in self._code and not before.strip():
            if "\t" in before:
                raise Odd
            self._code[line] = _Frame(column, new)
            self._shift[line] = new - column

    def _continued(self, first: Any, last: Any, *, at_least: int) -> None:
        """The lines of a quoted or unquoted text, or of a flow collection: spaces at their beginning mean
        nothing."""
        start, end = first.start_mark.line, last.end_mark.line
        if start not in self._code:
            raise Odd
        for number in range(start + 1, end + 1):
            self._inside[number] = _Span(0, self._shift.get(start, 0), at_least)

    def _literal(self, token: Any) -> None:
        """The lines of a block of text, without blank ones behind it unless they count."""
        start, end = token.start_mark.line, token.end_mark
        header = _BLOCK.match(self.texts[start], token.start_mark.column)
        if header is None or not self._frames:
            raise Odd
        self._blocks.add(start)
        numbers = range(start + 1, min(end.line + (end.column > 0), len(self.texts)))
        old, new = self._indents(header, [self.texts[number] for number in numbers])
        full = [number for number in numbers if self.texts[number][old:]]
        keep = "+" in (header["chomp"], header["after"])
        if full and full[-1] == len(self.texts) - 1 and not self._ended:
            self._end_without_break(start, token.start_mark.column, header)
        last = numbers[-1] if keep and numbers else full[-1] if full else start
        for number in range(start + 1, last + 1):
            self._inside[number] = _Span(old, new, literal=True, kept=keep)

    def _indents(self, header: re.Match[str], texts: list[str]) -> tuple[int, int]:
        """How far in the lines of a block of text stand, and how far they are to stand."""
        parent = self._frames[-1]
        if header["indent"]:
            return parent.old + int(header["indent"]), parent.new + int(header["indent"])
        filled = [text for text in texts if text.strip(" ")]
        if not filled:
            return max(map(len, texts), default=0), parent.new + STEP
        return len(filled[0]) - len(filled[0].lstrip(" ")), parent.new + STEP

    def _end_without_break(self, line: int, column: int, header: re.Match[str]) -> None:
        """A block of text at the very end, where the last line break is missing: its value has none either, which
        from now on its header says."""
        if "+" in (header["chomp"], header["after"]):
            raise Odd
        if not header["chomp"] and not header["after"]:
            text = self.texts[line]
            self.texts[line] = f"{text[: column + 1]}-{text[column + 1 :]}"

    # --- writing

    def moved(self) -> Iterator[Line]:
        """Every line, where it is to stand."""
        code = sorted(self._code)
        passed = 0
        for number, text in enumerate(self.texts):
            while passed < len(code) and code[passed] <= number:
                passed += 1
            if number in self._inside:
                yield self._moved_inside(number, text, self._inside[number])
            elif number in self._code:
                yield self._moved_code(number, text)
            elif not text.strip():
                yield Line("", Is.BLANK, 0, number)
            elif text.lstrip(" \t").startswith("#"):
                around = (code[passed - 1] if passed else None, code[passed] if passed < len(code) else None)
                column = self._comment_column(len(text) - len(text.lstrip(" \t")), *around)
                yield Line(" " * column + text.strip(), Is.COMMENT, column, number)
            else:
                raise Odd

    def _moved_code(self, number: int, text: str) -> Line:
        for start, gap in reversed(self._gaps.get(number, ())):
            text = f"{text[:start]} {text[start + gap :]}"
        frame = self._code[number]
        text = " " * frame.new + text[frame.old :]
        goes_on = number + 1 in self._inside and not self._inside[number + 1].literal
        return Line(text if goes_on else text.rstrip(), Is.CODE, frame.new, number)

    def _moved_inside(self, number: int, text: str, span: _Span) -> Line:
        what = Is.KEPT if span.kept else Is.INSIDE
        if span.literal:
            rest = text[span.old :]
            return Line(" " * span.new + rest if rest else "", what, span.new, number)
        rest = text.lstrip(" \t")
        column = max(len(text) - len(rest) + span.new - span.old, span.least, 0)
        rest = rest if number + 1 in self._inside else rest.rstrip()
        return Line(" " * column + rest if rest else "", what, column, number)

    def _comment_column(self, column: int, above: int | None, below: int | None) -> int:
        """Where a comment belongs: to the line below when it stands as far in as that, else to what is open
        there or above."""
        frames = list(self._around[above]) if above is not None else []
        literal = above in self._blocks
        if below is not None:
            if self._code[below].old == column:
                return self._code[below].new
            frames += [] if literal else self._around[below]
        fitting = [frame for frame in frames if frame.old <= column]
        if not fitting:
            return 0
        frame = max(fitting, key=lambda one: one.old)
        return frame.new if literal else frame.new + column - frame.old


def _tokens(text: str) -> Iterator[Any]:
    parser: Any = CParser(text)
    while parser.check_token():
        yield parser.get_token()
