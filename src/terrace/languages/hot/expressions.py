"""Functions of HOT -> values with expressions. What is known when a template is compiled is worked out at
once. The functions themselves are in terrace.languages.hot.functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Protocol

import msgspec

from terrace.engine.expression import ELIDED, evaluate, without_elided
from terrace.errors import SpecError
from terrace.languages.document import Mark, Tree
from terrace.languages.hot.job import Job
from terrace.languages.hot.template import Template
from terrace.languages.shape import describe
from terrace.model.value import UNKNOWN, Call, Ref, Secret, Unknown, holds

Call_ = dict[str, Tree]
"""A map with one key, the name of a function."""
LATE = (Ref, Call, Secret, Unknown)
"""What may turn out to be of any type."""


class Inputs(Protocol):
    """Where a template's parameters come from. `late`: they are known only when the template is put in its place."""

    late: bool

    def names(self) -> Mapping[str, Any]:
        """The parameters that there are."""

    def get(self, name: str, path: tuple[Any, ...], job: Job) -> Any:
        """The value of a parameter or a part of it, or an expression for it."""

    def facade(self, part: str) -> Any:
        """An expression for the metadata, deletion_policy or update_policy of the resource that the template
        stands for; None when it stands for none."""


class Attributes(Protocol):
    """What is known of a resource that others refer to."""

    @property
    def foreign(self) -> bool:
        """Whether it is a type of another system, which may have more to it than Terrace knows."""

    def attribute(self, path: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The native path of an attribute; None when there is no such attribute."""

    def absent(self, name: Any) -> str:
        """Why an attribute that the type has elsewhere has no value here; "" when it is not of that sort."""

    def attributes(self) -> list[str]:
        """The names of the attributes that there are for sure."""

    def shown(self) -> list[str]:
        """The names of the attributes that "all attributes" means."""


class Choices(Protocol):
    """The conditions of a template."""

    def read(self, tree: Tree, container: Tree, key: str | int) -> Any:
        """The condition that stands under a key of a container: true, false, an expression or UNKNOWN."""


Function = Callable[["Expressions", Call_, Tree], Any]


class Vocabulary(msgspec.Struct, frozen=True):
    """The functions of one version of HOT: those for `values` and those for `conditions`. `retired` were there
    in versions before (name -> what to write instead), `later` come in versions after (name -> which)."""

    values: Mapping[str, Function]
    conditions: Mapping[str, Function]
    retired: Mapping[str, str]
    later: Mapping[str, str]


class Expressions:
    """Compiles the values of one template. `uses` are the resources that were referred to since it was last
    emptied, each with the function that did so first; `possible` those that are used if a condition says so
    that is not known yet. `disabled` are resources that their conditions leave out."""

    def __init__(self, job: Job, template: Template, inputs: Inputs, vocabulary: Vocabulary) -> None:
        self.job = job
        self.template = template
        self.document = template.document
        self.inputs = inputs
        self.vocabulary = vocabulary
        self.conditions: Choices | None = None
        self.targets: Mapping[str, Attributes | None] = {}
        self.disabled: set[str] = set()
        self.uses: dict[str, Call_] = {}
        self.possible: dict[str, Call_] = {}
        self.choices = False
        self.elided = False
        self._functions = vocabulary.values
        self._odd = {*vocabulary.retired, *vocabulary.later, *vocabulary.conditions} - set(self._functions)
        self._mistyped: dict[str, str] = {}

    def value(self, tree: Tree) -> Any:
        """`tree` with its functions turned into values or expressions. What is wrong is reported and stands
        as UNKNOWN, which fits everywhere. ELIDED when an `if` gives nothing: see `argument`."""
        kind = type(tree)
        if kind is dict:
            if len(tree) == 1:
                for name in tree:
                    function = self._functions.get(name)
                    if function is not None:
                        return function(self, tree, tree[name])
                    if (name in self._odd or not name.isalnum()) and self._mistaken(tree, name):
                        return UNKNOWN
            found = {key: self.value(item) for key, item in tree.items()}
            return without_elided(found) if self.elided else found
        if kind is list:
            items = [self.value(item) for item in tree]
            return without_elided(items) if self.elided else items
        return tree

    def argument(self, tree: Tree) -> Any:
        """A value that cannot be left out: None for what an `if` elides."""
        value = self.value(tree)
        return None if value is ELIDED else value

    def apart(self, tree: Tree) -> Any:
        """The same, where what is referred to does not count as used."""
        uses, possible = self.uses, self.possible
        self.uses, self.possible = {}, {}
        value = self.argument(tree)
        self.uses, self.possible = uses, possible
        return value

    def fail(self, mark: Mark, code: str, message: str, hint: str = "") -> Any:
        """Reports a mistake; gives what stands for a value that cannot be had."""
        self.job.report.error(self.document, mark, code, message, hint)
        return UNKNOWN

    def at(self, call: Call_) -> Mark:
        """Where the argument of a function stands."""
        return self.document.value(call, next(iter(call)))

    def fold(self, call: Call_, function: str, args: tuple[Any, ...]) -> Any:
        """The function applied at once if all its arguments are known, else an expression."""
        expression = Call(function, args)
        if holds(expression.args, Unknown):
            return UNKNOWN
        if holds(args, Ref) or holds(args, Call):
            return expression
        try:
            return evaluate(expression, _never, _never, self.job.fuel)
        except SpecError as error:
            return self.blame(self.document.key(call, next(iter(call))), error)

    def blame(self, mark: Mark, error: SpecError) -> Any:
        """Reports what a function says of its arguments; the end when all fuel is used up."""
        self.fail(mark, error.code, error.message, error.hint)
        if error.code == "limit-reached":
            self.job.report.check()
        return UNKNOWN

    def listed(self, call: Call_, function: str, least: int, most: int | None, form: str) -> Any:
        """A function of the engine with the items of a list as its arguments: the list is written out, or
        comes from another function. `form` says what the function takes."""
        name = next(iter(call))
        given = call[name]
        args: Any
        if isinstance(given, list):
            args = [self.argument(item) for item in given]
        else:
            args = self.argument(given)
            if isinstance(args, Unknown):
                return UNKNOWN
            if isinstance(args, Ref | Call | Secret):
                return self.fold(call, "spread", (function, args))
        if not isinstance(args, list) or len(args) < least or (most is not None and len(args) > most):
            return self.fail(self.at(call), "wrong-type", f"{name} takes {form}")
        return self.fold(call, function, tuple(args))

    @contextmanager
    def in_conditions(self) -> Iterator[None]:
        """While it lasts, the functions are those that conditions may use."""
        before = self._functions, self._odd
        self._functions = self.vocabulary.conditions
        self._odd = {*before[1], *self.vocabulary.values} - set(self._functions)
        try:
            yield
        finally:
            self._functions, self._odd = before

    def perhaps(self, tree: Tree) -> Any:
        """The value of a branch that is taken if a condition says so that is not known yet."""
        before, self.uses = self.uses, {}
        value = self.value(tree)
        self.possible |= self.uses
        self.uses = before
        return Call("if", (False, None)) if value is ELIDED else value

    def _mistaken(self, tree: Call_, name: str) -> bool:
        """Whether a map with one key is a function that cannot stand here, or nearly one that can; it is
        reported."""
        words, at = self.vocabulary, self.document.key(tree, name)
        inside = self._functions is words.conditions
        if name in words.retired:
            message = f'the function "{name}" is none of version {self.template.version}'
            self.fail(at, "retired-function", message, words.retired[name])
            return True
        if inside and name in words.values:
            message = f'a condition sees parameters only: "{name}" cannot stand here'
            self.fail(at, "not-in-conditions", message, f"here can be: {', '.join(sorted(words.conditions))}")
            return True
        if name in words.later or name in words.conditions or name in words.values:
            self._warn(tree, name)
            return False
        if name not in self._mistyped:
            known = {*words.values, *words.conditions}
            near = get_close_matches(name[:50], known, n=1, cutoff=0.8) if "_" in name else []
            self._mistyped[name] = near[0] if near else ""
        if not self._mistyped[name] and not name.startswith("Fn::"):
            return False
        hint = f'did you mean "{self._mistyped[name]}"?' if self._mistyped[name] else ""
        self.fail(at, "unknown-function", f'there is no function "{name[:100]}"', hint)
        return True

    def _warn(self, tree: Call_, name: str) -> None:
        """Says that something that looks like a function is plain data here."""
        since = self.vocabulary.later.get(name)
        if since is None:
            if name != "equals":
                return  # `not`, `and` and `or` are words that plain data may well hold
            message, hint = f'"{name}" is plain data here: it is a function in conditions only', ""
        elif isinstance(tree[name], dict | list):
            message = f'"{name}" is plain data here: it is a function from version {since} on'
            hint = f"write: heat_template_version: {since}"
        else:
            return
        self.job.report.warn(self.document, self.document.key(tree, name), "plain-data", message, hint)

    def path(self, keys: list[Any], at: Mark, function: str) -> tuple[Any, ...] | None:
        """The keys of a path; None when one of them can be none."""
        for key in keys:
            if isinstance(key, bool) or not isinstance(key, str | int | Ref | Call | Secret | Unknown):
                message = f"{function} takes texts and whole numbers as a path, not {describe(key)}"
                self.fail(at, "wrong-type", message)
                return None
        return None if UNKNOWN in keys else tuple(keys)

    def exists(self, call: Call_, name: Any, container: Tree, key: str | int) -> bool:
        """Whether there is such a resource; if so it is noted as used. `container` and `key` say where it
        is named."""
        if type(name) is str and name in self.targets:
            if name not in self.uses:
                self.uses[name] = call
            return True
        if name is UNKNOWN:
            return False
        at = self.document.value(container, key)
        if not isinstance(name, str):
            message = f"{next(iter(call))} takes the name of a resource, not {describe(name)}"
            self.fail(at, "wrong-type", message)
        elif name in self.disabled:
            message = f'resource "{name}" is left out by its condition'
            self.fail(at, "disabled-resource", message, "refer to it inside an `if` with the same condition")
        else:
            hint = self.job.report.guess(name, self.targets)
            self.fail(at, "unknown-resource", f'there is no resource "{name[:100]}"', hint)
        return False


def _never(*args: Any) -> Any:
    raise SpecError("this is not known yet")
