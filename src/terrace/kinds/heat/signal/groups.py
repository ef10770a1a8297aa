"""Heat's and AWS's names for what grows and shrinks by signals, and for chains."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.group import MEMBER, Chain
from terrace.kinds.group.policy import KINDS
from terrace.kinds.group.rolling import PROPERTIES, UPDATES
from terrace.kinds.heat.words import REQUIRED_TEXT, TEXT, entry, first, given, ignored, refused, renamed
from terrace.kinds.schema import Property, Type, TypeEntry

BALANCERS = "load balancers are not there yet: machines are to be listed with them by hand"
COUNT: Final = Property(Type.INTEGER, minimum=0, maximum=100_000)
NEEDED_COUNT: Final = Property(Type.INTEGER, required=True, minimum=0, maximum=100_000)
SECONDS: Final = Property(Type.DURATION)
ROLLING: Final = Property(Type.MAP, properties=UPDATES)
SCALING: Final[dict[str, Property]] = {
    "resource": Property(Type.MAP, required=True, properties=MEMBER),
    "min_size": NEEDED_COUNT,
    "max_size": NEEDED_COUNT,
    "desired_capacity": COUNT,
    "cooldown": SECONDS,
    "rolling_updates": ROLLING,
}
POLICY: Final[dict[str, Property]] = {
    "auto_scaling_group_id": REQUIRED_TEXT,
    "scaling_adjustment": Property(Type.NUMBER, required=True),
    "adjustment_type": Property(Type.STRING, required=True, allowed=KINDS),
    "min_adjustment_step": COUNT,
    "cooldown": SECONDS,
}
AWS_KINDS = {"ChangeInCapacity": KINDS[0], "ExactCapacity": KINDS[1], "PercentChangeInCapacity": KINDS[2]}
AWS_POLICY: Final[dict[str, Property]] = {
    "AutoScalingGroupName": REQUIRED_TEXT,
    "ScalingAdjustment": Property(Type.NUMBER, required=True),
    "AdjustmentType": Property(Type.STRING, required=True, allowed=tuple(AWS_KINDS)),
    "MinAdjustmentStep": COUNT,
    "Cooldown": SECONDS,
}
AWS_GROUP: Final[dict[str, Property]] = {
    "LaunchConfigurationName": REQUIRED_TEXT,
    "MinSize": NEEDED_COUNT,
    "MaxSize": NEEDED_COUNT,
    "DesiredCapacity": COUNT,
    "Cooldown": SECONDS,
    "update_policy": PROPERTIES["update_policy"],
    **ignored("AvailabilityZones VPCZoneIdentifier HealthCheckGracePeriod HealthCheckType Tags"),
    **ignored("LoadBalancerNames", BALANCERS),
    **refused("InstanceId", "a group is made from a launch configuration, not after a machine that runs"),
}
INSTANCES: Final[dict[str, Property]] = {
    "LaunchConfigurationName": REQUIRED_TEXT,
    "Size": NEEDED_COUNT,
    "update_policy": PROPERTIES["update_policy"],
    **ignored("AvailabilityZones Tags"),
    **ignored("LoadBalancerNames", BALANCERS),
}
LAUNCH: Final[dict[str, Property]] = {
    "ImageId": REQUIRED_TEXT,
    "InstanceType": REQUIRED_TEXT,
    "KeyName": TEXT,
    "UserData": Property(Type.STRING, secret=True),
    "SecurityGroups": Property(Type.LIST, items=TEXT),
    **ignored("InstanceId KernelId RamDiskId NovaSchedulerHints BlockDeviceMappings"),
}


CHAIN: Final = Chain.schema.properties


def _scaling(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("min_size", "max_size", "desired_capacity", "cooldown", "update_policy")
    native = renamed(properties, {name: name for name in names} | {"resource": "resource_def"})
    rolling = properties.get("rolling_updates") or {}
    native.setdefault("update_policy", {"rolling_update": rolling})
    return native


def _policy(properties: dict[str, Any]) -> dict[str, Any]:
    names = {"scaling_adjustment": "adjustment", "auto_scaling_group_id": "group"}
    same = ("adjustment_type", "min_adjustment_step", "cooldown")
    return renamed(properties, names | {name: name for name in same})


def _aws_policy(properties: dict[str, Any]) -> dict[str, Any]:
    kind = properties.get("AdjustmentType")
    names = {
        "AutoScalingGroupName": "group",
        "ScalingAdjustment": "adjustment",
        "MinAdjustmentStep": "min_adjustment_step",
        "Cooldown": "cooldown",
    }
    kind = AWS_KINDS.get(kind, kind) if isinstance(kind, str) else kind
    return renamed(properties, names) | given(adjustment_type=kind)


def _aws_group(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(
        properties,
        {
            "LaunchConfigurationName": "launch",
            "MinSize": "min_size",
            "MaxSize": "max_size",
            "DesiredCapacity": "desired_capacity",
            "Cooldown": "cooldown",
            "update_policy": "update_policy",
        },
    )


def _instances(properties: dict[str, Any]) -> dict[str, Any]:
    size = first(properties, "Size")
    native = renamed(properties, {"LaunchConfigurationName": "launch", "update_policy": "update_policy"})
    return native | {"min_size": 0, "max_size": 100_000} | given(desired_capacity=size)


def _launch(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(
        properties,
        {
            "ImageId": "image",
            "InstanceType": "flavor",
            "KeyName": "key",
            "UserData": "user_data",
            "SecurityGroups": "security_groups",
        },
    )


_DOOR = "alarm_url signal_url"
GROUPS: Final[tuple[TypeEntry, ...]] = (
    entry("OS::Heat::ScalingPolicy", "ScalingPolicy", POLICY, _DOOR, _policy),
    entry(
        "AWS::AutoScaling::ScalingPolicy", "ScalingPolicy", AWS_POLICY, "", _aws_policy, AlarmUrl="alarm_url"
    ),
    TypeEntry(
        "OS::Heat::AutoScalingGroup",
        "AutoScalingGroup",
        SCALING,
        {name: name for name in ("refs", "refs_map", "outputs", "outputs_list", "current_size")},
        _scaling,
        any_attribute=True,
        description="Answers to Heat's OS::Heat::AutoScalingGroup.",
        member="resource",
    ),
    entry(
        "AWS::AutoScaling::AutoScalingGroup",
        "AutoScalingGroup",
        AWS_GROUP,
        "refs refs_map",
        _aws_group,
        InstanceList="instances",
    ),
    entry(
        "OS::Heat::InstanceGroup",
        "AutoScalingGroup",
        INSTANCES,
        "refs refs_map",
        _instances,
        InstanceList="instances",
    ),
    entry("AWS::AutoScaling::LaunchConfiguration", "LaunchConfiguration", LAUNCH, "", _launch),
    TypeEntry(
        "OS::Heat::ResourceChain",
        "ResourceChain",
        CHAIN,
        {name: name for name in ("refs", "refs_map", "attributes")},
        dict,
        any_attribute=True,
        description="Answers to Heat's OS::Heat::ResourceChain.",
    ),
)
