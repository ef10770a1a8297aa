"""What shares the requests of a load balancer: pools, and their members."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.balance import words
from terrace.kinds.rules.address import wrong_address
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.spec.balance import COOKIE, PoolMemberSpec, PoolSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

ALGORITHMS = ("ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT")
_PERSISTENCE = Property(
    Type.MAP,
    "Keeps a client with the member that it came to first.",
    properties={
        "type": Property(
            Type.STRING,
            "By the client's address (SOURCE_IP), a cookie of the proxy (HTTP_COOKIE), or one of the application "
            "(APP_COOKIE).",
            required=True,
            allowed=("SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE"),
        ),
        "cookie": Property(Type.STRING, "The application's cookie.", pattern=COOKIE),
    },
    changes=Effect.UPDATE,
)


class Pool(Noun):
    """Members that share what comes in."""

    name = "Pool"
    schema: ClassVar[Schema] = Schema(
        properties={
            "listener": Property(Type.STRING, "The listener whose default it is.", minimum=1),
            "balancer": Property(
                Type.STRING, "The load balancer that it belongs to, where listeners name it.", minimum=1
            ),
            "protocol": Property(
                Type.STRING,
                "How members are spoken to. PROXY: as the listener is, with the client's address told first.",
                required=True,
                allowed=words.PROTOCOLS,
            ),
            "algorithm": Property(
                Type.STRING,
                "Who is next: in turn, who has the fewest connections, or the same for the same client.",
                required=True,
                allowed=ALGORITHMS,
                changes=Effect.UPDATE,
            ),
            "persistence": _PERSISTENCE,
            "tls": Property(
                Type.BOOLEAN,
                "Whether members are spoken to by TLS. Whose certificate they show is not asked.",
                default=False,
                changes=Effect.UPDATE,
            ),
            "name": words.NAMED,
            "description": words.DESCRIBED,
            "enabled": words.enabled("Whether it is given anything."),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "listeners": "The listeners that send to it, a list of maps: id.",
            "members": "Its members, a list of maps: id.",
            "healthmonitor_id": "The id of its health monitor.",
            "show": words.SHOW,
        },
        description="Members that share what a listener takes.",
    )
    rules: ClassVar[Rules] = words.rules(
        defaults_of(PoolSpec), "algorithm", "persistence", "cookie", "tls", "enabled"
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> PoolSpec:
        """The typed spec."""
        if plain.get("listener") is None and plain.get("balancer") is None:
            raise SpecError("names no listener and no load balancer", ("listener",), code="missing-property")
        keeping = plain.get("persistence")
        kept = keeping if isinstance(keeping, dict) else {}
        unknown = UNKNOWN if keeping is UNKNOWN else ""
        return PoolSpec(
            protocol=plain["protocol"],
            algorithm=plain["algorithm"],
            listener=plain.get("listener", ""),
            balancer=plain.get("balancer", ""),
            persistence=kept.get("type", unknown),
            cookie=_cookie(kept) if kept else unknown,
            tls=plain["tls"],
            name=plain.get("name", node.path.replace("/", "-")),
            description=plain["description"],
            enabled=plain["enabled"],
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The listener's default, which is one pool."""
        if spec.listener is UNKNOWN or not spec.listener:
            return frozenset()
        return frozenset({Claim("name", spec.listener, "its default pool")})


def _cookie(kept: dict[str, Any]) -> Any:
    """The application's cookie; SpecError where it is missing, or named for nothing."""
    kind, cookie = kept.get("type"), kept.get("cookie", "")
    if kind == "APP_COOKIE" and cookie == "":
        raise SpecError(
            "is required where persistence is by APP_COOKIE",
            ("persistence", "cookie"),
            code="missing-property",
        )
    if kind in ("SOURCE_IP", "HTTP_COOKIE") and cookie != "":
        raise SpecError(f"means nothing where persistence is by {kind}", ("persistence", "cookie"))
    return cookie


class PoolMember(Noun):
    """An address that a pool sends to. It gets nothing new once it goes, and what it has begun it may finish."""

    name = "PoolMember"
    schema: ClassVar[Schema] = Schema(
        properties={
            "pool": Property(Type.STRING, "The pool.", required=True, minimum=1),
            "address": Property(Type.STRING, "Its address.", required=True, check=wrong_address),
            "port": words.port("The port that it listens on.", required=True),
            "weight": Property(
                Type.INTEGER,
                "Its share among the other members; 0: nothing new.",
                default=1,
                minimum=0,
                maximum=256,
                changes=Effect.UPDATE,
            ),
            "subnet": Property(
                Type.STRING, "The subnet that its address is of; the load balancer's by default.", minimum=1
            ),
            "monitor_address": Property(
                Type.STRING,
                "The address at which it is asked whether it is well; its own by default.",
                check=wrong_address,
            ),
            "monitor_port": words.port(
                "The port at which it is asked whether it is well; its own by default."
            ),
            "backup": Property(
                Type.BOOLEAN,
                "Whether it gets something only when no other member can.",
                default=False,
            ),
            "enabled": words.enabled("Whether it is given anything."),
        },
        attributes={
            "id": "Its id at the provider.",
            "address": "Its address.",
            "pool_id": "The pool's id.",
            "operating_status": "ONLINE, ERROR, OFFLINE, DRAINING, or NO_MONITOR where nobody asks.",
            "show": words.SHOW,
        },
        description="An address and port that a pool sends to.",
    )
    rules: ClassVar[Rules] = words.rules(defaults_of(PoolMemberSpec), "weight", "enabled")
    foretold: ClassVar[dict[str, str]] = {"address": "address", "pool_id": "pool"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> PoolMemberSpec:
        """The typed spec."""
        return PoolMemberSpec(
            pool=plain["pool"],
            address=plain["address"],
            port=plain["port"],
            weight=plain["weight"],
            subnet=plain.get("subnet", ""),
            monitor_address=plain.get("monitor_address", ""),
            monitor_port=plain.get("monitor_port", 0),
            backup=plain["backup"],
            enabled=plain["enabled"],
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The address and port, which a pool has once."""
        if UNKNOWN in (spec.pool, spec.address, spec.port):
            return frozenset()
        return frozenset({Claim("name", spec.pool, f"{spec.address} {spec.port}")})
