"""What Heat makes itself, without another service."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.builtin import ACTIONS, CLASSES
from terrace.kinds.group import MEMBER
from terrace.kinds.group.rolling import PROPERTIES
from terrace.kinds.heat.words import (
    BOOLEAN,
    REQUIRED_TEXT,
    SECONDS,
    TEXT,
    each,
    entry,
    first,
    given,
    ignored,
    renamed,
)
from terrace.kinds.schema import Property, Type, TypeEntry

_LEAST: Final = Property(Type.INTEGER, minimum=0, maximum=512)
RANDOM: Final[dict[str, Property]] = {
    "length": Property(Type.INTEGER, minimum=1, maximum=512),
    "sequence": Property(Type.STRING, allowed=CLASSES),
    "character_classes": Property(
        Type.LIST,
        items=Property(Type.MAP, properties={"class": Property(Type.STRING, allowed=CLASSES), "min": _LEAST}),
    ),
    "character_sequences": Property(
        Type.LIST, items=Property(Type.MAP, properties={"sequence": REQUIRED_TEXT, "min": _LEAST})
    ),
    "salt": TEXT,
}
DELAY: Final[dict[str, Property]] = {
    "min_wait": SECONDS,
    "max_jitter": SECONDS,
    "jitter_multiplier": Property(Type.NUMBER, minimum=0),
    "actions": Property(Type.LIST, items=Property(Type.STRING, allowed=(*ACTIONS, "SUSPEND", "RESUME"))),
}
TEST: Final[dict[str, Property]] = {
    "value": TEXT,
    "fail": BOOLEAN,
    "update_replace": BOOLEAN,
    "update_replace_value": TEXT,
    "wait_secs": SECONDS,
    "action_wait_secs": Property(
        Type.MAP, properties={"create": SECONDS, "update": SECONDS, "delete": SECONDS}
    ),
    **ignored(
        "attr_wait_secs client_name constraint_prop_secs entity_name",
        "it slows Heat itself down, for testing it",
    ),
}
GROUP: Final[dict[str, Property]] = {
    "count": Property(Type.INTEGER, minimum=0, maximum=100_000),
    "index_var": Property(Type.STRING, minimum=3),
    "resource_def": Property(Type.MAP, required=True, properties=MEMBER),
    "removal_policies": Property(
        Type.LIST, items=Property(Type.MAP, properties={"resource_list": Property(Type.LIST)})
    ),
    "update_policy": PROPERTIES["update_policy"],
    "removal_policies_mode": Property(Type.STRING, allowed=("append", "update")),
}


def _random(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(
        properties,
        {
            "length": "length",
            "salt": "salt",
            "character_classes": "classes",
            "character_sequences": "sequences",
        },
    )
    if "classes" in native:
        native["classes"] = each(
            native["classes"], lambda one: renamed(one, {"class": "class", "min": "minimum"})
        )
    if "sequences" in native:
        native["sequences"] = each(
            native["sequences"], lambda one: renamed(one, {"sequence": "characters", "min": "minimum"})
        )
    if properties.get("sequence") is not None:
        native.setdefault("classes", [{"class": properties["sequence"], "minimum": 1}])
    return native


def _delay(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(
        properties,
        {
            "min_wait": "minimum",
            "max_jitter": "jitter",
            "jitter_multiplier": "multiplier",
            "actions": "actions",
        },
    )
    if isinstance(native.get("actions"), list):
        native["actions"] = [
            action for action in native["actions"] if not isinstance(action, str) or action in ACTIONS
        ]
    return native


def _test(properties: dict[str, Any]) -> dict[str, Any]:
    native = {"value": "test_string"} | renamed(properties, {"value": "value", "fail": "fail"})
    native |= given(replace=first(properties, "update_replace_value", "update_replace"))
    waits = dict.fromkeys(("create", "update", "delete"), properties.get("wait_secs"))
    each = properties.get("action_wait_secs")
    if isinstance(each, dict):
        waits |= each
    waits = given(**waits)
    return native | ({"waits": waits} if waits else {})


def _group(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def _value(properties: dict[str, Any]) -> dict[str, Any]:
    return dict(properties)


_VALUE_TYPES = ("string", "number", "comma_delimited_list", "json", "boolean")
_VALUE: Final = {
    "value": Property(Type.ANY, required=True),
    "type": Property(Type.STRING, allowed=_VALUE_TYPES),
}
OWN: Final[tuple[TypeEntry, ...]] = (
    entry("OS::Heat::RandomString", "RandomString", RANDOM, "value", _random),
    entry("OS::Heat::Value", "Value", _VALUE, "value", _value),
    TypeEntry(
        "OS::Heat::None",
        "None",
        {},
        {},
        _value,
        open=True,
        any_attribute=True,
        description="Answers to Heat's OS::Heat::None.",
    ),
    entry("OS::Heat::Delay", "Delay", DELAY, "", _delay),
    entry("OS::Heat::TestResource", "TestResource", TEST, "output", _test),
    TypeEntry(
        "OS::Heat::ResourceGroup",
        "Group",
        GROUP,
        {name: name for name in ("refs", "refs_map", "attributes", "removed_rsrc_list")},
        _group,
        any_attribute=True,
        description="Answers to Heat's OS::Heat::ResourceGroup.",
        member="resource_def",
    ),
)
