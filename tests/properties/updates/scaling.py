"""How each property of groups that scale, of chains and of what waits for signals changes."""

from __future__ import annotations

from tests.properties.updates.case import GONE, IMAGES, KEYS, Case, To

from terrace.model.graph import Node
from terrace.model.value import Ref

MEMBER = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": "%index%"}}
LINK = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": 1}}
VALUE = "Terrace::Value"
CAME = {
    "1": {"status": "SUCCESS", "reason": "", "data": "one"},
    "2": {"status": "SUCCESS", "reason": "", "data": "two"},
}
MORE = {**CAME, "3": {"status": "SUCCESS", "reason": "", "data": "three"}}
GROUPS = tuple(
    Node(path, "AutoScalingGroup", {"min_size": 1, "max_size": 3, "resource_def": MEMBER})
    for path in ("group", "herd")
)

SCALING: dict[str, Case] = {
    "AutoScalingGroup": Case(
        {"min_size": 1, "max_size": 4, "desired_capacity": 2, "resource_def": MEMBER},
        {
            "min_size": (To(3, with_={"desired_capacity": GONE}), To(3, says="refused")),
            "max_size": (To(1, says="refused"), To(5, says="nothing")),
            "desired_capacity": (To(3), To(1)),
            "cooldown": (To(60, says="nothing"),),
            "resource_def": (To({**MEMBER, "properties": {"value": "no. %index%"}}),),
            "launch": (To(Ref("second"), before=Ref("first"), with_={"resource_def": GONE}),),
            "rolling": (To({"batch": 1}, says="nothing"),),
            "update_policy": (To({"rolling_update": {"max_batch_size": 1}}, says="nothing"),),
        },
        around=(
            Node("first", "LaunchConfiguration", {"image": IMAGES[0]}),
            Node("second", "LaunchConfiguration", {"image": IMAGES[1]}),
        ),
    ),
    "LaunchConfiguration": Case(
        {"image": IMAGES[0]},
        {
            "image": (To(IMAGES[1]),),
            "flavor": (To("m1.tiny"),),
            "key": (To(KEYS[0]),),
            "user_data": (To("#!/bin/sh\ntrue\n"),),
            "security_groups": (To(["web"]),),
        },
    ),
    "ResourceChain": Case(
        {"resources": [VALUE, VALUE], "members": [LINK, LINK]},
        {
            "resources": (To([VALUE] * 3, also={"members": [LINK] * 3}, says="update"),),
            "resource_properties": (
                To({"value": 2}, also={"members": [{**LINK, "properties": {"value": 2}}] * 2}, says="update"),
            ),
            "concurrent": (To(True, says="nothing"),),
        },
    ),
    "ScalingPolicy": Case(
        {"group": Ref("group"), "adjustment": 1, "adjustment_type": "change_in_capacity"},
        {
            "group": (To(Ref("herd")),),
            "adjustment": (To(-1),),
            "adjustment_type": (To("exact_capacity"),),
            "min_adjustment_step": (To(1),),
            "cooldown": (To(60),),
        },
        around=GROUPS,
    ),
    "Alarm": Case(
        {"rule": {"type": "event"}, "alarm_actions": [Ref("less", ("url",))]},
        {
            "rule": (To({"type": "event", "event_type": "compute.instance.*"}),),
            "alarm_actions": (To([]), To(["https://elsewhere.example/hook"])),
            "ok_actions": (To([Ref("less", ("url",))]),),
            "insufficient_data_actions": (To([Ref("less", ("url",))]),),
            "repeat_actions": (To(False),),
            "enabled": (To(False),),
            "description": (To("too much of it"),),
            "severity": (To("critical"),),
        },
        around=(
            *GROUPS,
            Node(
                "less",
                "ScalingPolicy",
                {"group": Ref("group"), "adjustment": -1, "adjustment_type": "change_in_capacity"},
            ),
        ),
    ),
    "WaitConditionHandle": Case({}, {"form": (To("url"),)}),
    "WaitCondition": Case(
        {"handle": Ref("door"), "signals": CAME, "timeout": 600},
        {
            "handle": (To(Ref("gate")),),
            "count": (To(2),),
            "timeout": (To(1200),),
            "signals": (To(MORE),),
        },
        around=(Node("door", "WaitConditionHandle", {}), Node("gate", "WaitConditionHandle", {})),
    ),
}
