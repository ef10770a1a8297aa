"""Languages: text in, graph out, every mistake with its file, line and column. Nothing here executes
anything.

Each goes parse -> resolve -> compile: documents become trees with places (document.py, tree.py), what is
declared is read and names are looked up, and resources become nodes of a graph. LANGUAGES is the only
table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from terrace.errors import DocumentError
from terrace.kinds import TYPES
from terrace.kinds.schema import TypeEntry
from terrace.languages.compiled import Asked, Compiled, Setting
from terrace.languages.document import LIMITS, Document
from terrace.languages.hot.compiler import compile_template
from terrace.languages.hot.naming import named_files
from terrace.languages.hot.versions import VERSION_KEY
from terrace.languages.report import Report
from terrace.languages.tree import parse
from terrace.model.problem import Problem
from terrace.model.stack import Source

__all__ = [
    "LANGUAGES",
    "Asked",
    "Compiled",
    "Language",
    "Setting",
    "check_source",
    "compile_source",
    "needed_files",
]


class Language(msgspec.Struct, frozen=True):
    """A language. `compile` turns a source into a graph; `names` tells which files a document of it needs."""

    compile: Callable[[Source, Mapping[str, TypeEntry], Setting], Compiled]
    names: Callable[[Document], list[str]]


LANGUAGES: dict[str, Language] = {VERSION_KEY: Language(compile_template, named_files)}
"""By the key that a template of the language begins with. The first one is taken when none is found."""


def compile_source(
    source: Source, *, project: str, stack: str, stack_id: str, kinds: Mapping[str, TypeEntry]
) -> Compiled:
    """The graph that `source` stands for, as the stack `stack` of `project`. DocumentError holds every
    mistake in any of its documents, each with its place; hidden values appear in none."""
    return _language(source).compile(source, kinds, Setting(project, stack, stack_id))


def check_source(source: Source, *, kinds: Mapping[str, TypeEntry] = TYPES) -> tuple[Problem, ...]:
    """Every mistake in `source`, for documents that are only checked: missing files and parameters, and
    foreign types that no kind answers to yet, are warnings."""
    try:
        return _language(source).compile(source, kinds, Setting(stack="stack", lenient=True)).warnings
    except DocumentError as error:
        return error.problems


def needed_files(text: str, name: str) -> list[str]:
    """The names of the files that the template or environment `text`, itself called `name`, needs sent
    along: relative to where `name` is relative to. Works on documents with mistakes; what cannot be read
    names nothing."""
    document = parse(text, name, Report(), LIMITS)
    if document is None:
        return []
    language = next((LANGUAGES[key] for key in LANGUAGES if key in text), LANGUAGES[VERSION_KEY])
    return language.names(document)


def _language(source: Source) -> Language:
    text: Any = source.files.get(source.template, "")
    found = (LANGUAGES[key] for key in LANGUAGES if isinstance(text, str) and key in text)
    return next(found, LANGUAGES[VERSION_KEY])
