"""Functions that refer to something: parameters, resources, files, the resource that a template stands for."""

from __future__ import annotations

from typing import Any

from terrace.errors import SpecError
from terrace.languages.document import Tree
from terrace.languages.files import is_remote, resolve
from terrace.languages.hot import versions
from terrace.languages.hot.expressions import Call_, Expressions
from terrace.languages.hot.job import Asker
from terrace.languages.shape import describe
from terrace.model.value import UNKNOWN, Ref

FACADES = ("metadata", "deletion_policy", "update_policy")


def get_param(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A parameter, or a part of it."""
    parts = on.argument(arg) if isinstance(arg, list | dict) else arg
    parts = parts if isinstance(parts, list) else [parts]
    at = on.at(call)
    name = parts[0] if parts else None
    if not isinstance(name, str):
        message = "get_param takes the name of a parameter"
        return UNKNOWN if name is UNKNOWN else on.fail(at, "wrong-type", message)
    return parameter(on, call, name, parts[1:])


def parameter(on: Expressions, call: Call_, name: str, rest: list[Any]) -> Any:
    """The parameter of that name, or the part of it that keys lead to."""
    function, at = next(iter(call)), on.at(call)
    if name not in on.inputs.names():
        arg = call[function]
        at = on.document.value(arg, 0) if isinstance(arg, list) else at
        hint = on.job.report.guess(name, on.inputs.names())
        return on.fail(at, "unknown-parameter", f'there is no parameter "{name[:100]}"', hint)
    path = on.path(rest, at, function)
    if path is None:
        return UNKNOWN
    try:
        return on.inputs.get(name, path, on.job)
    except SpecError as error:
        return on.blame(at, error)


def get_resource(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The reference id of a resource."""
    name = on.argument(arg)
    return Ref(name) if on.exists(call, name, call, next(iter(call))) else UNKNOWN


def get_attr(on: Expressions, call: Call_, arg: Tree) -> Any:
    """An attribute of a resource, a part of it, or all attributes."""
    if type(arg) is not list or not arg:
        arg = on.argument(arg)
        if not isinstance(arg, list) or not arg:
            message = "get_attr takes a list: the name of a resource, an attribute, and a path in it"
            return UNKNOWN if arg is UNKNOWN else on.fail(on.at(call), "wrong-type", message)
    parts = [item if type(item) is str else on.argument(item) for item in arg]
    name = parts[0]
    if not on.exists(call, name, arg, 0):
        return UNKNOWN
    if len(parts) == 2 and type(parts[1]) is str:
        return _attribute(on, arg, name, (parts[1],))
    if len(parts) == 1:
        return _all_attributes(on, call, name)
    path = on.path(parts[1:], on.at(call), next(iter(call)))
    return UNKNOWN if path is None else _attribute(on, arg, name, path)


def _attribute(on: Expressions, arg: list[Tree], name: str, path: tuple[Any, ...]) -> Any:
    target = on.targets[name]
    native = path if target is None else target.attribute(path)
    if native is not None:
        return Ref(name, native)
    if target is not None and path[0] == "show":
        shown = _show(on, name)
        if len(path) == 1:
            return shown
        part = shown.get(path[1]) if isinstance(path[1], str) else None
        return Ref(name, (*part.path, *path[2:])) if part is not None else None
    why = target.absent(path[0]) if target is not None else ""
    if why:
        message = f'resource "{name}": attribute "{path[0]}" has no value: {why}'
        on.job.report.warn(on.document, on.document.value(arg, 1), "ignored-attribute", message)
        return None
    known = target.attributes() if target is not None else []
    near, at = on.job.report.guess(str(path[0]), known), on.document.value(arg, 1)
    hint = near or (f"known: {', '.join(sorted(known))}" if known else "")
    message = f'resource "{name}" has no attribute "{str(path[0])[:100]}"'
    if on.job.lenient and not near and target is not None and target.foreign:
        on.job.report.warn(on.document, at, "unsupported-attribute", f"{message} in Terrace yet", hint)
        return UNKNOWN
    return on.fail(at, "unknown-attribute", message, hint)


def _all_attributes(on: Expressions, call: Call_, name: str) -> Any:
    if on.template.version < versions.ALL_ATTRIBUTES:
        message = f"get_attr must name an attribute; from version {versions.ALL_ATTRIBUTES} on it need not"
        return on.fail(on.at(call), "newer-version-needed", message)
    return _show(on, name)


def _show(on: Expressions, name: str) -> dict[str, Ref]:
    """All attributes of a resource by name."""
    target = on.targets[name]
    found = {one: target.attribute((one,)) for one in target.shown()} if target is not None else {}
    return {one: Ref(name, native) for one, native in found.items() if native}


def get_file(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The content of a file that was sent along."""
    at = on.at(call)
    name = on.argument(arg)
    if not isinstance(name, str):
        message = f"get_file takes the name of a file, not {describe(name)}"
        return UNKNOWN if name is UNKNOWN else on.fail(at, "wrong-type", message)
    file = resolve(name, on.document.file)
    text = on.job.text(file)
    if text is None and is_remote(name):
        text = on.job.text(name)
    if text is None:
        on.job.missing_file(Asker(on.document, at), file, "the file")
        return UNKNOWN
    try:
        on.job.fuel.spend(1, len(text))
    except SpecError as error:
        return on.blame(at, error)
    return text


def resource_facade(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Something of the resource that a nested template stands for."""
    return facade(on, call, arg, {name: name for name in FACADES})


def facade(on: Expressions, call: Call_, arg: Tree, names: dict[str, str]) -> Any:
    """The part of the enclosing resource that `names` knows by the argument."""
    name = next(iter(call))
    part = names.get(arg) if isinstance(arg, str) else None
    if part is None:
        return on.fail(on.at(call), "wrong-type", f"{name} takes one of {', '.join(names)}")
    found = on.inputs.facade(part)
    if found is None:
        message = f"{name} stands for the resource around a nested template, and this is the stack's own"
        return on.fail(on.document.key(call, name), "not-nested", message)
    return found
