"""The section `conditions`, and conditions wherever they stand."""

from __future__ import annotations

from typing import Any

from terrace.languages.document import Tree
from terrace.languages.hot.expressions import Expressions
from terrace.languages.shape import describe
from terrace.model.value import UNKNOWN, Call, Ref, Secret

LARGEST = 200
"""Parts of one condition, with every condition that it names written out."""
DEEPEST = 60
"""Conditions in conditions, named or written out."""


class Conditions:
    """The conditions of one template: parameters decide them, and nothing else. Each becomes true or false, or,
    in a nested template, an expression over its parameters."""

    def __init__(self, expressions: Expressions) -> None:
        self._on = expressions
        self._trees = expressions.template.conditions
        self._found: dict[str, tuple[Any, int]] = {}
        self._reading: list[str] = []
        self._size = 0
        self._depth = 0

    def check(self) -> None:
        """Reads all, so that what is wrong with one that nobody uses is told too."""
        for name in self._trees:
            self._named(name, self._trees, name)

    def read(self, tree: Tree, container: Tree, key: str | int) -> Any:
        """The condition that stands under a key of a container: true, false, an expression or UNKNOWN."""
        if isinstance(tree, bool):
            return tree
        if isinstance(tree, str):
            return self._named(tree, container, key)
        at = self._on.document.value(container, key)
        if not isinstance(tree, dict) or len(tree) != 1:
            message = f"a condition is the name of one, a function, true or false, not {describe(tree)}"
            return self._on.fail(at, "not-a-condition", message)
        name = next(iter(tree))
        if name not in self._on.vocabulary.conditions and name not in self._on.vocabulary.values:
            hint = self._on.job.report.guess(name, self._on.vocabulary.conditions)
            message = f'there is no function "{name[:100]}" for conditions'
            return self._on.fail(self._on.document.key(tree, name), "unknown-function", message, hint)
        if self._depth >= DEEPEST:
            message = f"conditions are nested more than {DEEPEST} deep"
            return self._on.fail(at, "limit-reached", message)
        self._depth += 1
        with self._on.in_conditions():
            value = self._on.argument(tree)
        self._depth -= 1
        value = value.reveal() if isinstance(value, Secret) else value
        if isinstance(value, Ref | Call):
            if not self._on.inputs.late:
                message = "a condition cannot hang on a secret of the project"
                hint = "decide by a parameter of its own, which everybody may see"
                return self._on.fail(at, "secret-in-condition", message, hint)
            self._size += 1
            return value
        if value is UNKNOWN or isinstance(value, bool):
            return value
        message = f"a condition must be true or false, not {describe(value)}"
        hint = "a parameter that is a condition by itself has the type boolean"
        return self._on.fail(at, "not-a-condition", message, hint)

    def _named(self, name: str, container: Tree, key: str | int) -> Any:
        at = self._on.document.value(container, key)
        if name not in self._trees:
            hint = self._on.job.report.guess(name, self._trees)
            return self._on.fail(at, "unknown-condition", f'there is no condition "{name[:100]}"', hint)
        if name not in self._found:
            if len(self._reading) >= DEEPEST:
                return self._on.fail(
                    at, "limit-reached", f"conditions name each other more than {DEEPEST} deep"
                )
            if name in self._reading:
                chain = " -> ".join([*self._reading[self._reading.index(name) :], name])
                message = f"conditions name each other in a circle: {chain[:300]}"
                return self._on.fail(at, "circular-condition", message)
            self._found[name] = self._first(name)
        value, size = self._found[name]
        self._size += size
        if self._size > LARGEST and not isinstance(value, bool):
            message = f"the condition has more than {LARGEST} parts, with all that it names written out"
            return self._on.fail(at, "limit-reached", message)
        return value

    def _first(self, name: str) -> tuple[Any, int]:
        self._reading.append(name)
        before, self._size = self._size, 0
        value = self.read(self._trees[name], self._trees, name)
        size, self._size = self._size, before
        self._reading.pop()
        return value, 0 if isinstance(value, bool) or value is UNKNOWN else size
