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
from terrace.languages.editor.alone import as_environment, said_of_files
from terrace.languages.hot.compiler import compile_template
from terrace.languages.hot.naming import named_files
from terrace.languages.hot.versions import VERSION_KEY
from terrace.languages.operator import as_operator, operators_mistakes
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
    "as_operator",
    "check_operator",
    "check_source",
    "compile_source",
    "needed_files",
]


class Language(msgspec.Struct, frozen=True):
    """A language. `compile` turns a source into a graph; `names` tells which files a document of it needs."""

    compile: Callable[[Source, Mapping[str, TypeEntry], Setting], Compiled]
    names: Callable[[Document], list[str]]


NO_OPERATOR = Source("")
LANGUAGES: dict[str, Language] = {VERSION_KEY: Language(compile_template, named_files)}
"""By the key that a template of the language begins with. The first one is taken when none is found."""


def compile_source(
    source: Source,
    *,
    project: str,
    stack: str,
    stack_id: str,
    kinds: Mapping[str, TypeEntry],
    operator: Source = NO_OPERATOR,
) -> Compiled:
    """The graph that `source` stands for, as the stack `stack` of `project`, with the environments of the `operator`
    below its own (as `as_operator` gives them). DocumentError holds every mistake in any of its documents, each with
    its place; hidden values appear in none."""
    return _language(source).compile(source, kinds, Setting(project, stack, stack_id, operator=operator))


def check_source(source: Source, *, kinds: Mapping[str, TypeEntry] = TYPES) -> tuple[Problem, ...]:
    """Every mistake in `source`, for documents that are only checked: what only `up` needs is a warning (a
    missing file or parameter, a foreign type or attribute that there is not yet, a property that is refused). In
    place of the template may stand an environment."""
    alone = as_environment(source)
    source = alone or source
    try:
        found = _language(source).compile(source, kinds, Setting(stack="stack", lenient=True)).warnings
    except DocumentError as error:
        found = error.problems
    return said_of_files(found, source) if alone is not None else found


def check_operator(operator: Source, *, kinds: Mapping[str, TypeEntry] = TYPES) -> tuple[Problem, ...]:
    """Every mistake in the environments of an operator and the templates that they name, all of them as they lie on
    the disk: a file that is missing is one, so is a section that belongs to one stack only."""
    return operators_mistakes(operator, lambda source: check_source(source, kinds=kinds))


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
