"""Builds a document's tree from the parser's events, and finds what is wrong with it as YAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import yaml
from yaml import AliasEvent, MappingStartEvent, ScalarEvent
from yaml._yaml import CParser
from yaml.events import DocumentStartEvent, MappingEndEvent, SequenceEndEvent, StreamEndEvent
from yaml.reader import ReaderError

from terrace.languages.document import TOP, Document, Limits, Mark, Spot, Tree
from terrace.languages.report import Report
from terrace.languages.scalars import LIST_TAGS, MAP_TAGS, plain, tagged

_NEW = object()
_PLAIN_DATA = "a document is plain data: tags that make other things are not taken"


_HINTS = {
    "mapping values are not allowed": 'put a text that holds ": " in quotes',
    "expected": "look for indentation, quotes and brackets that do not match, here and above",
    "unexpected": "look for quotes and brackets that are not closed, here and above",
    "cannot start any token": "put a text that begins with this character in quotes",
}


class _StopReading(Exception):
    """What follows cannot be read; the report says why."""


def parse(text: str, file: str, report: Report, limits: Limits) -> Document | None:
    """The document in `text`, or None when it cannot be read at all; what is wrong goes to the report. YAML
    or JSON, read as a stream of events: no constructors run. What is too large is refused before it is
    read."""
    if len(text) > limits.size or len(text.encode("utf-8", "surrogatepass")) > limits.size:
        size = f"{limits.size / 2**20:g} MiB"
        report.error(Document(file, ""), TOP, "too-large", f"the document is larger than {size}")
        return None
    document = Document(file, text)
    try:
        document.root = _Builder(document, report, limits).run(text)
    except _StopReading:
        return None
    except yaml.YAMLError as error:
        _explain(error, document, report)
        return None
    except UnicodeEncodeError as error:
        mark = _spot(text, error.start)
        report.error(document, mark, "not-yaml", "there is a character here that no text may hold")
        return None
    return document


class _Builder:
    """One pass over the events. `nodes` counts what the tree would hold with every alias written out."""

    def __init__(self, document: Document, report: Report, limits: Limits) -> None:
        self.document = document
        self.report = report
        self.limits = limits
        self.nodes = 0
        self.anchors: dict[str, tuple[Tree, int] | None] = {}
        self.words: dict[str, Any] = {}
        self.keys: dict[str, str] = {}
        self.merges: list[tuple[dict[str, Tree], Tree, Mark]] = []

    def run(self, text: str) -> Tree:
        self.next: Callable[[], Any] = CParser(text).get_event
        self.next()
        event: Any = self.next()
        if type(event) is not DocumentStartEvent:
            return None
        root = self.node(self.next(), 1)
        self.next()
        event = self.next()
        if type(event) is not StreamEndEvent:
            self.stop(event.start_mark, "second-document", "a second document begins here; only one is read")
        return root

    def stop(self, mark: Mark, code: str, message: str, hint: str = "") -> NoReturn:
        self.report.error(self.document, mark, code, message, hint)
        raise _StopReading

    def node(self, event: Any, depth: int) -> Tree:
        """The tree below an event."""
        kind = type(event)
        if kind is AliasEvent:
            return self.alias(event)
        before, anchor = self.nodes, event.anchor
        if anchor is not None:
            self.anchors[anchor] = None
        if kind is ScalarEvent:
            tree = self.scalar(event)
        elif depth > self.limits.depth:
            self.stop(
                event.start_mark, "too-deep", f"this is nested more than {self.limits.depth} levels deep"
            )
        elif kind is MappingStartEvent:
            self.check_tag(event, MAP_TAGS)
            tree = self.mapping(event.start_mark, depth)
        else:
            self.check_tag(event, LIST_TAGS)
            tree = self.sequence(event.start_mark, depth)
        if anchor is not None:
            self.anchors[anchor] = (tree, self.nodes - before + 1)
        return tree

    def count(self, mark: Mark, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            most = f"{self.limits.nodes:,}"
            self.stop(
                mark, "too-many-nodes", f"with every alias written out this has more than {most} values"
            )

    def alias(self, event: Any) -> Tree:
        name = event.anchor
        if name not in self.anchors:
            self.stop(event.start_mark, "unknown-anchor", f'no anchor "&{name}" comes before this alias')
        known = self.anchors[name]
        if known is None:
            self.stop(event.start_mark, "endless-alias", f'the alias "*{name}" stands inside what it names')
        tree, nodes = known
        self.count(event.start_mark, nodes)
        return tree

    def scalar(self, event: Any) -> Tree:
        text = event.value
        if event.implicit[0]:
            value = self.words.get(text, _NEW)
            if value is not _NEW:
                return value
        elif event.tag is None:
            return text
        try:
            value = plain(text) if event.implicit[0] else tagged(event.tag, text)
        except KeyError:
            message = f'"{event.tag}" is a tag that is not taken here'
            self.report.error(self.document, event.start_mark, "unknown-tag", message, _PLAIN_DATA)
            return text
        except ValueError:
            message = "this looks like a number but is none that can be kept"
            self.report.error(self.document, event.start_mark, "bad-number", message, "put it in quotes")
            return text
        if event.implicit[0]:
            self.words[text] = value
        return value

    def check_tag(self, event: Any, fine: frozenset[str]) -> None:
        if event.tag is not None and event.tag not in fine:
            message = f'"{event.tag}" is a tag that is not taken here'
            self.report.error(self.document, event.start_mark, "unknown-tag", message, _PLAIN_DATA)

    def sequence(self, start: Mark, depth: int) -> list[Tree]:
        items: list[Tree] = []
        marks = [start]
        self.document.marks[id(items)] = marks
        get, words, most = self.next, self.words, self.limits.nodes
        depth += 1
        while type(event := get()) is not SequenceEndEvent and len(marks) <= most:
            if type(event) is ScalarEvent and event.anchor is None:
                value = words.get(event.value, _NEW) if event.implicit[0] else _NEW
                items.append(self.scalar(event) if value is _NEW else value)
            else:
                items.append(self.node(event, depth))
            marks.append(event.start_mark)
        self.count(start, len(marks))
        return items

    def mapping(self, start: Mark, depth: int) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        marks = [start]
        self.document.marks[id(tree)] = marks
        get, words, keys, most = self.next, self.words, self.keys, self.limits.nodes
        depth += 1
        while type(first := get()) is not MappingEndEvent and len(marks) <= most:
            plain_key = type(first) is ScalarEvent and first.anchor is None
            key = first.value if plain_key else self.odd_key(first, depth)
            event = get()
            if type(event) is ScalarEvent and event.anchor is None:
                value = words.get(event.value, _NEW) if event.implicit[0] else _NEW
                if value is _NEW:
                    value = self.scalar(event)
            else:
                value = self.node(event, depth)
            if key == "<<" and plain_key and first.implicit[0]:
                self.merges.append((tree, value, event.start_mark))
            elif key in tree:
                self.duplicate(first.start_mark, key, tree)
            else:
                tree[keys.setdefault(key, key)] = value
                marks += (first.start_mark, event.start_mark)
        self.count(start, len(marks))
        if self.merges:
            self.merge(tree)
        return tree

    def odd_key(self, event: Any, depth: int) -> str:
        """The text of a key that has an anchor or is an alias; anything else is no key."""
        if type(event) is ScalarEvent:
            self.anchors[str(event.anchor)] = (event.value, 1)
            return str(event.value)
        value = self.node(event, depth)
        if not isinstance(value, str):
            self.report.error(self.document, event.start_mark, "bad-key", "a key must be a text")
            return ""
        return value

    def duplicate(self, mark: Mark, key: str, tree: dict[str, Tree]) -> None:
        if self.report.full:
            return
        first = self.document.key(tree, key)
        message = f'the key "{key[:100]}" stands twice in one map; the first is in line {first.line + 1}'
        self.report.error(self.document, mark, "duplicate-key", message, "keep one of them")

    def merge(self, tree: dict[str, Tree]) -> None:
        """Puts into a map that is complete what its `<<` names: one map or a list of them. Its own keys
        stay."""
        mine = [merge for merge in self.merges if merge[0] is tree]
        del self.merges[len(self.merges) - len(mine) :]
        marks = self.document.marks[id(tree)]
        for _, source, mark in mine:
            for part in source if isinstance(source, list) else [source]:
                if not isinstance(part, dict):
                    self.report.error(self.document, mark, "bad-merge", '"<<" takes a map, or a list of maps')
                    continue
                theirs = self.document.marks[id(part)]
                for position, (key, value) in enumerate(part.items()):
                    if key not in tree:
                        tree[key] = value
                        marks += theirs[2 * position + 1 : 2 * position + 3]


def _explain(error: yaml.YAMLError, document: Document, report: Report) -> None:
    """What the parser says, in our words, where it says it."""
    if isinstance(error, ReaderError):
        before = document.text.encode()[: error.position].decode(errors="ignore")
        mark: Mark = _spot(before, len(before))
        report.error(document, mark, "not-yaml", f"a document may not hold this character: {error.reason}")
        return
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None) or TOP
    what = str(getattr(error, "problem", "") or "it cannot be read")
    if document.line(mark)[mark.column : mark.column + 1] == "\t":
        report.error(document, mark, "not-yaml", "a tab cannot indent", "indent with spaces")
        return
    hint = next((hint for words, hint in _HINTS.items() if words in what), "")
    report.error(document, mark, "not-yaml", f"this is not YAML: {what}", hint)


def _spot(text: str, position: int) -> Spot:
    start = text.rfind("\n", 0, position) + 1
    return Spot(text.count("\n", 0, position), position - start)
