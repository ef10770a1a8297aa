"""What changing one property of a resource is tried with: a table over all kinds and properties.

A property without an entry fails `test_updates.py`, with the line to add. A kind that cannot be made by the simulated
provider or by Terrace itself has no entry; it is then named in ELSEWHERE with where its updates are tried.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from terrace.model.graph import Blueprint, Edge, Node, Output
from terrace.model.value import Call, Ref

PATH = "it"
"""The path of the resource whose property is changed."""

GONE = object()
"""In place of a value: the property is left out."""


class To(NamedTuple):
    """The property goes from `before` (in place of the kind's own start) to `after`; `says` is what the plan must say
    of the resource, None: as the schema has it (`changes`). `with_` are more properties that stand before and after."""

    after: Any
    before: Any = GONE
    says: str | None = None
    with_: dict[str, Any] = {}  # noqa: RUF012  (never written to)


class Case(NamedTuple):
    """A kind: how one of it is made, what stands around it, and how each property changes."""

    start: dict[str, Any]
    changes: dict[str, tuple[To, ...]]
    around: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    blueprints: dict[str, Blueprint] = {}  # noqa: RUF012  (never written to)


IMAGES = ("registry/debian:12", "registry/nginx:1")
KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPt one", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPu two")
ON = [{"network": Ref("net")}]
ON_BOTH = [{"network": Ref("net")}, {"network": Ref("other")}]
NETS = (Node("net", "Network", {"cidr": "10.1.0.0/24"}), Node("other", "Network", {"cidr": "10.2.0.0/24"}))
MOUNT = {"volume": Ref("disk"), "path": "/data"}
BOX = Blueprint(
    nodes=(Node("v", "Value", {"value": Call("input", ("size",))}),),
    outputs={"size": Output(Ref("v", ("value",)))},
    parameters={"size": 1},
)
MEMBER = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": "%index%"}}
CHECK = {"type": "tcp", "port": 80}

CASES: dict[str, Case] = {
    "Machine": Case(
        {"image": IMAGES[0], "memory": 64, "networks": ON},
        {
            "name": (To("other"),),
            "image": (To(IMAGES[1]),),
            "image_name": (To("another-word"),),
            "flavor": (To("m1.tiny", before="m1.nano", with_={"memory": GONE}),),
            "cpu": (To(2, before=1), To(GONE, before=1)),
            "memory": (To(128), To(GONE)),
            "disk": (To(2048, before=1024),),
            "pids": (To(100),),
            "networks": (To(ON_BOTH), To([{"network": Ref("net"), "ip": "10.1.0.9"}])),
            "volumes": (To([MOUNT]), To([{**MOUNT, "path": "/other"}], before=[MOUNT])),
            "environment": (To({"TONE": "sharp"}, before={"TONE": "flat"}), To({"TONE": "sharp"})),
            "command": (To(["sleep", "9"], before=["sleep", "8"]),),
            "files": (To([{"path": "/etc/motd", "content": "hello"}]),),
            "user_data": (To("#!/bin/sh\ntrue\n"),),
            "user_data_format": (To("HEAT_CFNTOOLS"),),
            "keys": (To([KEYS[0]]),),
            "metadata": (To({"note": "two"}, before={"note": "one"}),),
            "health": (To({**CHECK, "interval": 9}, before=CHECK),),
            "restart": (To("on-failure"),),
            "log_size": (To(20),),
            "publish": (To([{"guest": 80, "host": 8081}], before=[{"guest": 80, "host": 8080}]),),
            "aliases": (To(["shop"]),),
        },
        around=(*NETS, Node("disk", "Volume", {"size": 1})),
    ),
    "Volume": Case(
        {"size": 1},
        {
            "size": (To(2), To(1, before=2, says="refused")),
            "name": (To("other"),),
            "metadata": (To({"note": "two"}, before={"note": "one"}),),
        },
    ),
    "VolumeAttachment": Case(
        {"volume": Ref("disk"), "machine": Ref("box"), "path": "/data"},
        {
            "volume": (To(Ref("spare")),),
            "machine": (To(Ref("twin")),),
            "path": (To("/other"),),
            "read_only": (To(True),),
        },
        around=(
            Node("disk", "Volume", {"size": 1}),
            Node("spare", "Volume", {"size": 1}),
            Node("box", "Machine", {"image": IMAGES[0]}),
            Node("twin", "Machine", {"image": IMAGES[0]}),
        ),
    ),
    "Network": Case(
        {"cidr": "10.9.0.0/24"},
        {
            "name": (To("other"),),
            "cidr": (To("10.8.0.0/24"),),
            "gateway": (To("10.9.0.7"),),
            "internal": (To(True),),
            "mtu": (To(1400),),
        },
    ),
    "Subnet": Case(
        {"network": Ref("net"), "cidr": "10.1.0.0/24"},
        {
            "network": (To(Ref("other")),),
            "cidr": (To("10.1.0.0/25"),),
            "gateway": (To("10.1.0.7"),),
            "name": (To("other"),),
            "pools": (To([{"start": "10.1.0.20", "end": "10.1.0.40"}]),),
        },
        around=NETS,
    ),
    "Port": Case(
        {"network": Ref("net")},
        {
            "network": (To(Ref("other")),),
            "ip": (To("10.1.0.9"),),
            "mac": (To("02:00:00:00:00:09"),),
            "name": (To("other"),),
        },
        around=NETS,
    ),
    "KeyPair": Case({}, {"name": (To("other"),), "public_key": (To(KEYS[1]),)}),
    "Image": Case(
        {"source": IMAGES[0]},
        {
            "source": (To(IMAGES[1]),),
            "pull": (To("always"),),
            "certificates": (To(False),),
        },
    ),
    "Group": Case(
        {"count": 2, "resource_def": MEMBER},
        {
            "count": (To(3), To(1), To(0)),
            "resource_def": (To({**MEMBER, "properties": {"value": "no. %index%"}}),),
            "index_var": (To("%i%", says="update"),),
            "removal_policies": (To([{"resource_list": ["0"]}]),),
            "rolling": (To({"batch": 1}, says="nothing"),),
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
}

OPEN: dict[str, dict[str, tuple[To, ...]]] = {
    "None": {"anything": (To(2, before=1, says="update"),)},
    "Nested": {"size": (To(2, says="update"),)},
}
"""Kinds that take any property, with some."""

ELSEWHERE: dict[str, str] = {"Stack": "tests/unit/api/test_across.py"}
"""Kinds that neither the simulated provider nor Terrace itself makes, and where their updates are tried."""

FAR = {
    "far": {"one": Output("first"), "two": Output("second")},
    "farther": {"one": Output("third")},
}
"""Other stacks that stand beside, and their outputs."""
