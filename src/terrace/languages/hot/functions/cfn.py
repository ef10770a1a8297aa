"""The functions of CloudFormation that the first versions of HOT take."""

from __future__ import annotations

from typing import Any

from terrace.languages.document import Tree
from terrace.languages.hot.expressions import LATE, Call_, Expressions
from terrace.languages.hot.functions.references import facade, get_attr, get_resource, parameter
from terrace.languages.shape import describe
from terrace.model.value import UNKNOWN

ZONES = ("nova",)
"""What every cloud calls its one zone unless told otherwise; nothing here has several."""
_FACADES = {
    "Metadata": "metadata",
    "DeletionPolicy": "deletion_policy",
    "UpdatePolicy": "update_policy",
}


def ref(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A parameter, or the reference id of a resource."""
    name = on.argument(arg)
    if isinstance(name, str) and name in on.inputs.names():
        return parameter(on, call, name, [])
    return get_resource(on, call, name) if _known(on, name) else _unknown(on, call, name)


def _known(on: Expressions, name: Any) -> bool:
    return isinstance(name, str) and name in on.targets


def _unknown(on: Expressions, call: Call_, name: Any) -> Any:
    if name is UNKNOWN:
        return UNKNOWN
    if not isinstance(name, str):
        message = f"Ref takes the name of a parameter or resource, not {describe(name)}"
        return on.fail(on.at(call), "wrong-type", message)
    if name in on.disabled:
        on.exists(call, name, call, "Ref")
        return UNKNOWN
    hint = on.job.report.guess(name, [*on.inputs.names(), *on.targets])
    message = f'there is no parameter and no resource "{name[:100]}"'
    return on.fail(on.at(call), "unknown-resource", message, hint)


def get_att(on: Expressions, call: Call_, arg: Tree) -> Any:
    """An attribute of a resource."""
    return get_attr(on, call, arg)


def join(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The items of a list as one text."""
    return on.listed(call, "list_join", 2, 2, "a list: a delimiter, and a list of texts")


def split(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The parts of a text."""
    return on.listed(call, "str_split", 2, 2, "a list: a delimiter and a text")


def select(on: Expressions, call: Call_, arg: Tree) -> Any:
    """An item of a list or map."""
    return on.listed(call, "select", 2, 2, "a list: an index or key, and a list or map")


def replace(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A text with keys replaced by values."""
    if not isinstance(arg, list) or len(arg) != 2:
        return on.fail(on.at(call), "wrong-type", "Fn::Replace takes a list: a map, and a text")
    params, template = (on.argument(item) for item in arg)
    if not isinstance(params, (dict, *LATE)) or not isinstance(template, (str, *LATE)):
        return on.fail(on.at(call), "wrong-type", "Fn::Replace takes a list: a map, and a text")
    return on.fold(call, "str_replace", (template, params, "scalars"))


def base64(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The text itself: what takes it encodes it where that is needed."""
    text = on.argument(arg)
    if not isinstance(text, (str, *LATE)):
        return on.fail(on.at(call), "wrong-type", f"Fn::Base64 takes a text, not {describe(text)}")
    return text


def member_list_to_map(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The map that a list of numbered members stands for."""
    form = "a list: the name of the keys, that of the values, and a list of members"
    return on.listed(call, "member_list", 3, 3, form)


def resource_facade(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Something of the resource that a nested template stands for."""
    return facade(on, call, arg, _FACADES)


def get_azs(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The availability zones."""
    on.argument(arg)
    return list(ZONES)
