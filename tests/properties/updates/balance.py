"""How each property of load balancers and what stands on them changes."""

from __future__ import annotations

from tests.properties.updates.case import GONE, NETS, Case, To

from terrace.model.graph import Node
from terrace.model.value import Ref

GROUPS = (Node("group", "SecurityGroup", {}), Node("fence", "SecurityGroup", {}))
RANGES = (
    Node("range", "Subnet", {"network": Ref("net"), "cidr": "10.1.0.0/24"}),
    Node("far", "Subnet", {"network": Ref("other"), "cidr": "10.2.0.0/24"}),
)
BALANCERS = (
    *NETS,
    Node("lb", "LoadBalancer", {"network": Ref("net")}),
    Node("second", "LoadBalancer", {"network": Ref("other")}),
)
HTTP = {"protocol": "HTTP", "algorithm": "ROUND_ROBIN"}
POOLS = (
    *BALANCERS,
    Node("pool", "Pool", {"balancer": Ref("lb"), **HTTP}),
    Node("spare", "Pool", {"balancer": Ref("lb"), **HTTP}),
)
FRONT = {"protocol": "HTTP", "port": 80}
SOURCE = {"type": "SOURCE_IP"}

BALANCE: dict[str, Case] = {
    "LoadBalancer": Case(
        {"network": Ref("net")},
        {
            "network": (To(Ref("other")),),
            "subnet": (To(Ref("far"), before=Ref("range"), with_={"network": GONE}),),
            "address": (To("10.1.0.9", before="10.1.0.8"),),
            "security_groups": (To([Ref("fence")], before=[Ref("group")]),),
            "name": (To("other"),),
            "description": (To("for the web"),),
            "enabled": (To(False),),
        },
        around=(*NETS, *GROUPS, *RANGES),
    ),
    "Listener": Case(
        {"balancer": Ref("lb"), **FRONT},
        {
            "balancer": (To(Ref("second")),),
            "protocol": (To("TCP"),),
            "port": (To(81),),
            "pool": (To(Ref("spare"), before=Ref("pool")),),
            "limit": (To(100),),
            "allowed": (To(["10.1.0.0/25"], before=["10.1.0.0/24"]),),
            "certificate": (To("key-2", before="key-1", with_={"protocol": "TERMINATED_HTTPS"}),),
            "more_certificates": (To(["key-3"], before=["key-2"]),),
            "name": (To("other"),),
            "description": (To("for the web"),),
            "enabled": (To(False),),
        },
        around=POOLS,
    ),
    "Pool": Case(
        {"balancer": Ref("lb"), **HTTP},
        {
            "listener": (To(Ref("back"), before=Ref("front")),),
            "balancer": (To(Ref("second")),),
            "protocol": (To("PROXY"),),
            "algorithm": (To("LEAST_CONNECTIONS"),),
            "persistence": (
                To(SOURCE),
                To({"type": "APP_COOKIE", "cookie": "B"}, before={"type": "APP_COOKIE", "cookie": "A"}),
            ),
            "tls": (To(True),),
            "name": (To("other"),),
            "description": (To("for the web"),),
            "enabled": (To(False),),
        },
        around=(
            *BALANCERS,
            Node("front", "Listener", {"balancer": Ref("lb"), **FRONT}),
            Node("back", "Listener", {"balancer": Ref("lb"), **FRONT, "port": 81}),
        ),
    ),
    "PoolMember": Case(
        {"pool": Ref("pool"), "address": "10.1.0.9", "port": 80},
        {
            "pool": (To(Ref("spare")),),
            "address": (To("10.1.0.10"),),
            "port": (To(81),),
            "weight": (To(5),),
            "subnet": (To(Ref("far"), before=Ref("range")),),
            "monitor_address": (To("10.1.0.10", before="10.1.0.9"),),
            "monitor_port": (To(81, before=82),),
            "backup": (To(True),),
            "enabled": (To(False),),
        },
        around=(*POOLS, *RANGES),
    ),
    "HealthMonitor": Case(
        {"pool": Ref("pool"), "type": "HTTP", "delay": 5, "timeout": 3, "retries": 2},
        {
            "pool": (To(Ref("spare")),),
            "type": (To("TCP"),),
            "delay": (To(6),),
            "timeout": (To(4),),
            "retries": (To(3),),
            "failures": (To(4),),
            "path": (To("/healthy"),),
            "method": (To("HEAD"),),
            "codes": (To("200-204"),),
            "enabled": (To(False),),
        },
        around=POOLS,
    ),
}
