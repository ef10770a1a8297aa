"""How each property of what Terrace makes by itself changes, and of composites."""

from __future__ import annotations

from tests.properties.updates.case import GONE, Case, To

from terrace.model.graph import Blueprint, Node, Output
from terrace.model.value import Call, Ref

BOX = Blueprint(
    nodes=(Node("v", "Value", {"value": Call("input", ("size",))}),),
    outputs={"size": Output(Ref("v", ("value",)))},
    parameters={"size": 1},
)
MEMBER = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": "%index%"}}

OWN: dict[str, Case] = {
    "Group": Case(
        {"count": 2, "resource_def": MEMBER},
        {
            "count": (To(3), To(1), To(0)),
            "resource_def": (To({**MEMBER, "properties": {"value": "no. %index%"}}),),
            "index_var": (To("%i%", says="update"),),
            "removal_policies": (To([{"resource_list": ["0"]}]),),
            "rolling": (To({"batch": 1}, says="nothing"),),
            "removal_policies_mode": (To("update", says="nothing"),),
            "update_policy": (To({"rolling_update": {"max_batch_size": 1}}, says="nothing"),),
        },
    ),
    "RandomString": Case(
        {"length": 8},
        {
            "length": (To(9),),
            "classes": (To([{"class": "digits", "minimum": 1}]),),
            "sequences": (To([{"characters": "abc", "minimum": 1}]),),
            "salt": (To("again"),),
        },
    ),
    "Value": Case({"value": "1"}, {"value": (To("2"), To({"a": [1, 2]})), "type": (To("number"),)}),
    "None": Case({}, {}),
    "Delay": Case(
        {},
        {
            "minimum": (To(2),),
            "jitter": (To(3),),
            "multiplier": (To(2),),
            "actions": (To(["CREATE", "DELETE"]),),
        },
    ),
    "TestResource": Case(
        {"value": "1"},
        {
            "value": (To("2"),),
            "fail": (To(False, before=GONE, says="nothing"),),
            "transient": (To(True),),
            "replace": (To("yes"), To("", before="yes", says="update")),
            "waits": (To({"update": 2}),),
            "attributes": (To({"color": "red"}),),
        },
    ),
    "Nested": Case({"size": 1}, {}, blueprints={"box.yaml": BOX}),
    "StackOutput": Case(
        {"stack": "far", "output": "one"},
        {"stack": (To("farther"),), "output": (To("two"),)},
    ),
    "Secret": Case({"name": "one"}, {"name": (To("two"),)}),
}

VAULT = {"one": "the first", "two": "the second"}
"""Secrets of the project."""

OPEN: dict[str, dict[str, tuple[To, ...]]] = {
    "None": {"anything": (To(2, before=1, says="update"),)},
    "Nested": {"size": (To(2, says="update"),)},
}
"""Kinds that take any property, with some."""

FAR = {
    "far": {"one": Output("first"), "two": Output("second")},
    "farther": {"one": Output("third")},
}
"""Other stacks that stand beside, and their outputs."""
