"""What the operator of a server says for all stacks: environments below those of users, as in Heat's environment.d."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from terrace.languages.document import LIMITS, Document
from terrace.languages.editor.alone import TEMPLATE, said_of_files, users_of
from terrace.languages.files import OPERATOR
from terrace.languages.hot.versions import VERSION_KEY, VERSIONS
from terrace.languages.report import Report, locate
from terrace.languages.tree import parse
from terrace.model.problem import Problem
from terrace.model.stack import Source

OF_ONE_STACK = {
    "parameters": "a stack's own parameters: what all are to have stands under parameter_defaults",
    "moved": "a stack's own resources",
}
"""Sections that an operator's environment may not have, and what they are about."""


def as_operator(files: dict[str, str], environments: Iterable[str]) -> Source:
    """The operator's files under the names that compiling knows them by. Their names are relative to the folder of
    the environments."""
    named = {OPERATOR + name: text for name, text in files.items()}
    return Source("", named, tuple(OPERATOR + name for name in environments))


def operators_mistakes(
    operator: Source, check: Callable[[Source], tuple[Problem, ...]]
) -> tuple[Problem, ...]:
    """What is wrong with an operator's environments, by their plain names, and with what they name."""
    roots = []
    wrong: list[Problem] = []
    for name in operator.environments:
        document = parse(str(operator.files[name]), name, Report(), LIMITS)
        if document is not None and isinstance(document.root, dict):
            roots.append(document.root)
            wrong += _misplaced(document, document.root)
    beside = json.dumps({VERSION_KEY: VERSIONS[-1], "resources": _users(roots)})
    source = Source(TEMPLATE, {**operator.files, TEMPLATE: beside}, operator.environments)
    found = said_of_files(check(source), source)
    return (*wrong, *(_stern(problem) for problem in found))


def _users(roots: list[dict[str, Any]]) -> dict[str, Any]:
    every = (user for root in roots for user in users_of(root).values())
    return {str(number): user for number, user in enumerate(every)}


def _misplaced(document: Document, root: dict[str, Any]) -> Iterator[Problem]:
    for section, about in OF_ONE_STACK.items():
        if root.get(section):
            message = f"{section} cannot be the operator's: it is about {about}"
            yield locate(document, document.key(root, section), Problem(message, code="misplaced-section"))


def _stern(problem: Problem) -> Problem:
    """A file that is not there is a mistake here: nobody else will send it."""
    missing = problem.code == "missing-file"
    return msgspec.structs.replace(problem, severity="error") if missing else problem
