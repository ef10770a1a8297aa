"""Functions of HOT -> values with expressions. What is known when a template is compiled is worked out at
once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Protocol

from terrace.engine.expression import evaluate
from terrace.errors import SpecError
from terrace.languages.document import Mark, Tree
from terrace.languages.files import is_remote, resolve
from terrace.languages.hot.job import Asker, Job
from terrace.languages.hot.template import NOT_YET, Template
from terrace.languages.hot.versions import LATER, MULTIPLE_LISTS
from terrace.languages.shape import describe
from terrace.model.value import UNKNOWN, Call, Ref, Secret, Unknown, holds

Call_ = dict[str, Tree]
"""A map with one key, the name of a function."""


class Inputs(Protocol):
    """Where a template's parameters come from."""

    def names(self) -> Mapping[str, Any]:
        """The parameters that there are."""

    def get(self, name: str, path: tuple[Any, ...], job: Job) -> Any:
        """The value of a parameter or a part of it, or an expression for it."""


class Attributes(Protocol):
    """What is known of a resource that others refer to."""

    def attribute(self, path: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The native path of an attribute; None when there is no such attribute."""

    def attributes(self) -> list[str]:
        """The names of the attributes that there are for sure."""


class Expressions:
    """Compiles the values of one template. `uses` are the resources that were referred to since it was last
    emptied, each with the function that did so first."""

    def __init__(self, job: Job, template: Template, inputs: Inputs) -> None:
        self.job = job
        self.template = template
        self.document = template.document
        self.inputs = inputs
        self.targets: Mapping[str, Attributes | None] = {}
        self.uses: dict[str, Call_] = {}
        self._mistyped: dict[str, str] = {}

    def value(self, tree: Tree) -> Any:
        """`tree` with its functions turned into values or expressions. What is wrong is reported and stands
        as UNKNOWN, which fits everywhere."""
        kind = type(tree)
        if kind is dict:
            if len(tree) == 1:
                for name in tree:
                    function = _FUNCTIONS.get(name)
                    if function is not None:
                        return function(self, tree, tree[name])
                    if (name in LATER or not name.isalnum()) and self._mistaken(tree, name):
                        return UNKNOWN
            return {key: self.value(item) for key, item in tree.items()}
        if kind is list:
            return [self.value(item) for item in tree]
        return tree

    def fail(self, mark: Mark, code: str, message: str, hint: str = "") -> Any:
        """Reports a mistake; gives what stands for a value that cannot be had."""
        self.job.report.error(self.document, mark, code, message, hint)
        return UNKNOWN

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
            name = next(iter(call))
            self.fail(self.document.key(call, name), error.code, error.message, error.hint)
            if error.code == "limit-reached":
                self.job.report.check()
            return UNKNOWN

    def _mistaken(self, tree: Call_, name: str) -> bool:
        """Whether a map with one key is a function we do not have, or nearly one that we have; it is
        reported."""
        if name in LATER or name.startswith("Fn::"):
            if self.template.version < LATER.get(name, ""):
                return False
            message = f'the function "{name[:100]}" cannot be used yet'
            self.fail(self.document.key(tree, name), "not-supported-yet", message, NOT_YET)
            return True
        if name not in self._mistyped:
            near = get_close_matches(name[:50], _FUNCTIONS, n=1, cutoff=0.8) if "_" in name else []
            self._mistyped[name] = near[0] if near else ""
        if self._mistyped[name]:
            hint = f'did you mean "{self._mistyped[name]}"?'
            message = f'there is no function "{name}"'
            self.fail(self.document.key(tree, name), "unknown-function", message, hint)
        return bool(self._mistyped[name])

    def _get_param(self, call: Call_, arg: Tree) -> Any:
        parts = self.value(arg) if isinstance(arg, list) else [arg]
        at = self.document.value(call, "get_param")
        name = parts[0] if parts else None
        if not isinstance(name, str):
            return (
                UNKNOWN
                if name is UNKNOWN
                else self.fail(at, "wrong-type", "get_param takes the name of a parameter")
            )
        if name not in self.inputs.names():
            if isinstance(arg, list):
                at = self.document.value(arg, 0)
            hint = self.job.report.guess(name, self.inputs.names())
            return self.fail(at, "unknown-parameter", f'there is no parameter "{name[:100]}"', hint)
        path = self._path(parts[1:], at, "get_param")
        if path is None:
            return UNKNOWN
        try:
            return self.inputs.get(name, path, self.job)
        except SpecError as error:
            self.fail(at, error.code, error.message, error.hint)
            self.job.report.check()
            return UNKNOWN

    def _path(self, keys: list[Any], at: Mark, function: str) -> tuple[Any, ...] | None:
        """The keys of a path; None when one of them can be none."""
        for key in keys:
            if isinstance(key, bool) or not isinstance(key, str | int | Ref | Call | Secret | Unknown):
                self.fail(
                    at,
                    "wrong-type",
                    f"{function} takes texts and whole numbers as a path, not {describe(key)}",
                )
                return None
        return None if UNKNOWN in keys else tuple(keys)

    def _get_resource(self, call: Call_, arg: Tree) -> Any:
        name = self.value(arg)
        return Ref(name) if self._exists(call, name, call, "get_resource") else UNKNOWN

    def _exists(self, call: Call_, name: Any, container: Tree, key: str | int) -> bool:
        """Whether there is such a resource; if so it is noted as used. `container` and `key` say where it
        is named."""
        if isinstance(name, str) and name in self.targets:
            self.uses.setdefault(name, call)
            return True
        if name is UNKNOWN:
            return False
        at = self.document.value(container, key)
        if isinstance(name, str):
            hint = self.job.report.guess(name, self.targets)
            self.fail(at, "unknown-resource", f'there is no resource "{name[:100]}"', hint)
        else:
            message = f"{next(iter(call))} takes the name of a resource, not {describe(name)}"
            self.fail(at, "wrong-type", message)
        return False

    def _get_attr(self, call: Call_, arg: Tree) -> Any:
        if not isinstance(arg, list) or not arg:
            message = "get_attr takes a list: the name of a resource, an attribute, and a path in it"
            return self.fail(self.document.value(call, "get_attr"), "wrong-type", message)
        parts = [item if type(item) is str else self.value(item) for item in arg]
        if not self._exists(call, parts[0], arg, 0):
            return UNKNOWN
        if len(parts) == 1:
            at = self.document.value(call, "get_attr")
            return self.fail(at, "not-supported-yet", "get_attr must name an attribute", NOT_YET)
        if len(parts) > 2 or type(parts[1]) is not str:
            path = self._path(parts[1:], self.document.value(call, "get_attr"), "get_attr")
            return UNKNOWN if path is None else self._attribute(arg, parts[0], path)
        return self._attribute(arg, parts[0], (parts[1],))

    def _attribute(self, arg: list[Tree], name: str, path: tuple[Any, ...]) -> Any:
        target = self.targets[name]
        native = path if target is None else target.attribute(path)
        if native is None and target is not None:
            known = target.attributes()
            hint = self.job.report.guess(str(path[0]), known) or f"known: {', '.join(sorted(known))}"
            message = f'resource "{name}" has no attribute "{str(path[0])[:100]}"'
            return self.fail(self.document.value(arg, 1), "unknown-attribute", message, hint if known else "")
        return Ref(name, native or ())

    def _get_file(self, call: Call_, arg: Tree) -> Any:
        at = self.document.value(call, "get_file")
        name = self.value(arg)
        if not isinstance(name, str):
            return self.fail(at, "wrong-type", f"get_file takes the name of a file, not {describe(name)}")
        file = resolve(name, self.document.file)
        text = self.job.text(file)
        if text is None and is_remote(name):
            text = self.job.text(name)
        if text is None:
            self.job.missing_file(Asker(self.document, at), file, "the file")
            return UNKNOWN
        try:
            self.job.fuel.spend(1, len(text))
        except SpecError as error:
            self.fail(at, error.code, error.message, error.hint)
            self.job.report.check()
        return text

    def _str_replace(self, call: Call_, arg: Tree) -> Any:
        at = self.document.value(call, "str_replace")
        if not isinstance(arg, dict) or set(arg) != {"template", "params"}:
            return self.fail(at, "wrong-type", "str_replace takes a map of template and params")
        template, params = self.value(arg["template"]), self.value(arg["params"])
        if not isinstance(template, str | Ref | Call | Secret | Unknown):
            message = f"the template of str_replace must be a text, not {describe(template)}"
            return self.fail(self.document.value(arg, "template"), "wrong-type", message)
        if not isinstance(params, dict | Ref | Call | Secret | Unknown):
            message = f"the params of str_replace must be a map, not {describe(params)}"
            return self.fail(self.document.value(arg, "params"), "wrong-type", message)
        return self.fold(call, "str_replace", (template, params))

    def _list_join(self, call: Call_, arg: Tree) -> Any:
        at = self.document.value(call, "list_join")
        if not isinstance(arg, list) or len(arg) < 2:
            return self.fail(at, "wrong-type", "list_join takes a list: a delimiter, and a list of texts")
        if len(arg) > 2 and self.template.version < MULTIPLE_LISTS:
            message = f"list_join takes several lists only from version {MULTIPLE_LISTS} on"
            return self.fail(self.document.value(arg, 2), "newer-version-needed", message)
        args = [self.value(item) for item in arg]
        for position, item in enumerate(args):
            fine = (str, type(None)) if position == 0 else (list, type(None))
            if not isinstance(item, (*fine, Ref, Call, Secret, Unknown)):
                what = "a text as its delimiter" if position == 0 else "a list to join"
                message = f"list_join takes {what}, not {describe(item)}"
                return self.fail(self.document.value(arg, position), "wrong-type", message)
        return self.fold(call, "list_join", tuple(args))


def _never(*args: Any) -> Any:
    raise SpecError("this is not known yet")


Function = Callable[[Expressions, Call_, Tree], Any]

_FUNCTIONS: dict[str, Function] = {
    "get_param": Expressions._get_param,
    "get_resource": Expressions._get_resource,
    "get_attr": Expressions._get_attr,
    "get_file": Expressions._get_file,
    "str_replace": Expressions._str_replace,
    "list_join": Expressions._list_join,
}
