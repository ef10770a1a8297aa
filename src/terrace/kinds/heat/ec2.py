"""Machines and volumes of the AWS types that Heat knows."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.guest.properties import PROPERTIES as MACHINE
from terrace.kinds.heat.words import REQUIRED_TEXT, TEXT, each, entry, first, given, ignored, refused, renamed
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.model.value import Ref

_TAG: Final = Property(Type.MAP, properties={"Key": REQUIRED_TEXT, "Value": REQUIRED_TEXT})
_VOLUME: Final = Property(
    Type.MAP,
    properties={
        "VolumeId": REQUIRED_TEXT,
        "Device": Property(Type.STRING, required=True, pattern=r"(/dev/)?[A-Za-z0-9/_-]{1,32}"),
    },
)


def _interface(value: Any) -> Any:
    return value if isinstance(value, dict) else {"NetworkInterfaceId": value}


INSTANCE: Final[dict[str, Property]] = {
    "ImageId": REQUIRED_TEXT,
    "InstanceType": REQUIRED_TEXT,
    "KeyName": TEXT,
    "UserData": MACHINE["user_data"],
    "SecurityGroups": Property(Type.LIST, items=TEXT),
    "SecurityGroupIds": Property(Type.LIST, items=TEXT),
    "SubnetId": TEXT,
    "NetworkInterfaces": Property(
        Type.LIST,
        items=Property(Type.MAP, shorthand=_interface, properties={"NetworkInterfaceId": TEXT}),
    ),
    "Tags": Property(Type.LIST, items=_TAG),
    "Volumes": Property(Type.LIST, items=_VOLUME),
    **refused("BlockDeviceMappings", "make a volume of its own, and name it in Volumes"),
    **ignored(
        "AvailabilityZone DisableApiTermination KernelId Monitoring NovaSchedulerHints PlacementGroupName "
        "PrivateIpAddress RamDiskId SourceDestCheck Tenancy"
    ),
}


def _tags(value: Any) -> Any:
    """Tags as a map, where they are written out."""
    if not isinstance(value, list):
        return None
    written = [one for one in value if isinstance(one, dict) and isinstance(one.get("Key"), str)]
    return {one["Key"]: one.get("Value") for one in written}


def _network(subnet: Any) -> Any:
    return Ref(subnet.node, ("network_id",)) if isinstance(subnet, Ref) and not subnet.path else None


def _place(volume: dict[str, Any]) -> dict[str, Any]:
    device = str(volume.get("Device") or "vdb").removeprefix("/dev/")
    return {"volume": volume.get("VolumeId"), "path": f"/mnt/{device}"}


def _instance(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"ImageId": "image", "InstanceType": "flavor", "UserData": "user_data"})
    native |= given(
        metadata=_tags(properties.get("Tags")),
        security_groups=first(properties, "SecurityGroupIds", "SecurityGroups"),
    )
    if properties.get("KeyName") is not None:
        native["keys"] = [properties["KeyName"]]
    interfaces, network = properties.get("NetworkInterfaces"), _network(properties.get("SubnetId"))
    if isinstance(interfaces, list) and interfaces:
        native["networks"] = [{"port": _interface(one)["NetworkInterfaceId"]} for one in interfaces]
    elif network is not None:
        native["networks"] = [{"network": network}]
    if properties.get("Volumes") is not None:
        native["volumes"] = each(properties["Volumes"], _place)
    return native


EC2_VOLUME: Final[dict[str, Property]] = {
    "Size": Property(Type.INTEGER, minimum=1),
    "SnapshotId": TEXT,
    "Tags": Property(Type.LIST, items=_TAG),
    **ignored("AvailabilityZone"),
}
EC2_ATTACHMENT: Final[dict[str, Property]] = {
    "InstanceId": REQUIRED_TEXT,
    "VolumeId": REQUIRED_TEXT,
    "Device": TEXT,
}


def _ec2_volume(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"Size": "size", "SnapshotId": "source"})
    return native | given(metadata=_tags(properties.get("Tags")))


def _ec2_attachment(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"InstanceId": "machine", "VolumeId": "volume"})
    device = properties.get("Device")
    return native | given(path=f"/mnt/{device.removeprefix('/dev/')}" if isinstance(device, str) else None)


EC2: Final[tuple[TypeEntry, ...]] = (
    entry(
        "AWS::EC2::Instance",
        "Machine",
        INSTANCE,
        "",
        _instance,
        PrivateIp="first_address",
        PublicIp="first_address",
        PrivateDnsName="name",
        PublicDnsName="name",
    ),
    entry("AWS::EC2::Volume", "Volume", EC2_VOLUME, "", _ec2_volume),
    entry("AWS::EC2::VolumeAttachment", "VolumeAttachment", EC2_ATTACHMENT, "", _ec2_attachment),
)
