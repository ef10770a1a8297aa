"""How each property of networks and what belongs to them changes."""

from __future__ import annotations

from tests.properties.updates.case import BOXES, NETS, Case, To

from terrace.model.graph import Node
from terrace.model.value import Ref

ROUTERS = (Node("router", "Router", {}), Node("second", "Router", {}))
GROUPS = (Node("group", "SecurityGroup", {}), Node("fence", "SecurityGroup", {}))
ADDRESSES = (Node("address", "FloatingIP", {}), Node("spare", "FloatingIP", {}))
WEB = {"protocol": "tcp", "from_port": 80}

NET: dict[str, Case] = {
    "Network": Case(
        {"cidr": "10.9.0.0/24"},
        {
            "name": (To("other"),),
            "cidr": (To("10.8.0.0/24"),),
            "gateway": (To("10.9.0.7"),),
            "internal": (To(True),),
            "mtu": (To(1400),),
            "shared_with": (To(["other"]),),
        },
    ),
    "Subnet": Case(
        {"network": Ref("net"), "cidr": "10.1.0.0/24"},
        {
            "network": (To(Ref("other")),),
            "cidr": (To("10.1.0.0/25"),),
            "gateway": (To("10.1.0.7"),),
            "name": (To("other"),),
            "internal": (To(True),),
            "dns": (To(["10.1.0.3"], before=["10.1.0.2"]),),
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
            "more": (To(["10.1.0.7"], before=["10.1.0.8"]),),
            "pools": (To([{"start": "10.1.0.20", "end": "10.1.0.40"}]),),
            "subnets": (To([Ref("range")]),),
            "security_groups": (To([Ref("fence")], before=[Ref("group")]),),
            "name": (To("other"),),
        },
        around=(
            *NETS,
            *GROUPS,
            Node("range", "Subnet", {"network": Ref("net"), "cidr": "10.1.0.0/24"}),
        ),
    ),
    "Router": Case({}, {"name": (To("other"),), "gateway": (To(Ref("net")),)}, around=NETS),
    "RouterGateway": Case(
        {"router": Ref("router"), "network": Ref("net")},
        {"router": (To(Ref("second")),), "network": (To(Ref("other")),)},
        around=(*NETS, *ROUTERS),
    ),
    "RouterInterface": Case(
        {"router": Ref("router"), "network": Ref("net")},
        {"router": (To(Ref("second")),), "network": (To(Ref("other")),)},
        around=(*NETS, *ROUTERS),
    ),
    "SecurityGroup": Case(
        {},
        {
            "name": (To("other"),),
            "description": (To("for the web", before="for all"),),
            "rules": (To([WEB]), To([{**WEB, "from_port": 443}], before=[WEB]), To([], before=[WEB])),
        },
    ),
    "SecurityGroupRule": Case(
        {"security_group": Ref("group"), "protocol": "tcp", "from_port": 80},
        {
            "security_group": (To(Ref("fence")),),
            "direction": (To("egress"),),
            "protocol": (To("udp"),),
            "from_port": (To(79, with_={"to_port": 90}),),
            "to_port": (To(90),),
            "cidr": (To("10.0.0.0/8"),),
            "group": (To(Ref("fence")),),
            "ethertype": (To("IPv6"),),
        },
        around=GROUPS,
    ),
    "FloatingIP": Case(
        {},
        {
            "pool": (To(Ref("other"), before=Ref("net")),),
            "ip": (To("203.0.113.9", before="203.0.113.8"),),
            "target": (To(Ref("second", ("ip",)), before=Ref("first", ("ip",))),),
            "port": (To(Ref("second"), before=Ref("first")),),
        },
        around=(
            *NETS,
            Node("first", "Port", {"network": Ref("net")}),
            Node("second", "Port", {"network": Ref("net")}),
        ),
    ),
    "FloatingIPAssociation": Case(
        {"floating_ip": Ref("address"), "machine": Ref("box")},
        {
            "floating_ip": (To(Ref("spare")),),
            "machine": (To(Ref("twin")),),
            "target": (To(Ref("second", ("ip",)), before=Ref("first", ("ip",))),),
            "port": (To(Ref("second"), before=Ref("first")),),
        },
        around=(
            *NETS,
            *BOXES,
            *ADDRESSES,
            Node("first", "Port", {"network": Ref("net")}),
            Node("second", "Port", {"network": Ref("net")}),
        ),
    ),
}
