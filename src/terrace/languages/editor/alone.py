"""Checks an environment by itself, when no template is at hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from terrace.languages.document import LIMITS
from terrace.languages.hot import versions
from terrace.languages.hot.environments import reading as environment
from terrace.languages.report import Report
from terrace.languages.tree import parse
from terrace.model.problem import Problem
from terrace.model.stack import Source

TEMPLATE = "(no template)"
"""Not the name of a file: what is said of it is said to nobody."""


def as_environment(source: Source) -> Source | None:
    """If an environment stands where the template should: a source in which it stands beside a template that
    uses every type it defines, so that what these stand for is looked at. Else None."""
    text = str(source.files.get(source.template, ""))
    if versions.VERSION_KEY in text:
        return None
    document = parse(text, source.template, Report(), LIMITS)
    if document is None or not _is_environment(document.root):
        return None
    beside = json.dumps({versions.VERSION_KEY: versions.VERSIONS[-1], "resources": users_of(document.root)})
    environments = (source.template, *source.environments)
    return Source(TEMPLATE, {**source.files, TEMPLATE: beside}, environments)


def said_of_files(problems: Iterable[Problem], source: Source) -> tuple[Problem, ...]:
    """The problems of files that there are. Which parameters an environment may set only the missing template
    knows, and what the resources beside it need nobody was asked for."""
    return tuple(
        problem
        for problem in problems
        if problem.file != TEMPLATE
        and not (problem.code == "unknown-parameter" and problem.file in source.environments)
    )


def _is_environment(root: Any) -> bool:
    """Whether a document has a section that only environments have, or nothing but sections of one."""
    if not isinstance(root, dict) or not root or "resources" in root:
        return False
    sections = {*environment.SECTIONS, *environment.WITHOUT_EFFECT}
    return not root.keys().isdisjoint(sections - {"parameters"}) or root.keys() <= sections


def users_of(root: dict[str, Any]) -> dict[str, Any]:
    """A resource of each type that the environment defines."""
    registry = root.get("resource_registry")
    targets = registry.items() if isinstance(registry, dict) else ()
    names = [name for name, target in targets if isinstance(target, str) and "*" not in name]
    return {str(number): {"type": name} for number, name in enumerate(names)}
