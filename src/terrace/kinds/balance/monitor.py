"""How the members of a pool are asked whether they are well."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.kinds.balance import words
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.spec.balance import CODES, METHODS, PATH, HealthMonitorSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

TYPES = ("PING", "TCP", "HTTP", "HTTPS", "TLS-HELLO", "UDP-CONNECT")


def _times(description: str, default: int | None = None) -> Property:
    return Property(
        Type.INTEGER,
        description,
        required=default is None,
        default=default,
        minimum=1,
        maximum=10,
        changes=Effect.UPDATE,
    )


class HealthMonitor(Noun):
    """Asks every member of a pool again and again."""

    name = "HealthMonitor"
    schema: ClassVar[Schema] = Schema(
        properties={
            "pool": Property(Type.STRING, "The pool.", required=True, minimum=1),
            "type": Property(
                Type.STRING,
                "How they are asked: TCP (a connection), HTTP or HTTPS (a request), TLS-HELLO, PING or UDP-CONNECT.",
                required=True,
                allowed=TYPES,
            ),
            "delay": Property(
                Type.INTEGER,
                "Seconds from one question to the next.",
                required=True,
                minimum=0,
                changes=Effect.UPDATE,
            ),
            "timeout": Property(
                Type.INTEGER,
                "Seconds that an answer may take.",
                required=True,
                minimum=0,
                changes=Effect.UPDATE,
            ),
            "retries": _times("Good answers in a row that take a member in."),
            "failures": _times("Bad answers in a row that leave a member out.", 3),
            "path": Property(
                Type.STRING,
                "What HTTP and HTTPS ask for.",
                default="/",
                pattern=PATH,
                changes=Effect.UPDATE,
            ),
            "method": Property(
                Type.STRING,
                "How HTTP and HTTPS ask.",
                default="GET",
                allowed=METHODS,
                changes=Effect.UPDATE,
            ),
            "codes": Property(
                Type.STRING,
                "The statuses of a good answer, such as 200, 200,202 or 200-204.",
                default="200",
                pattern=CODES,
                changes=Effect.UPDATE,
            ),
            "enabled": words.enabled("Whether anybody is asked; else all members count as well."),
        },
        attributes={
            "id": "Its id at the provider.",
            "pools": "Its pool, a list of one map: id.",
            "show": words.SHOW,
        },
        description="Asks the members of a pool whether they are well.",
    )
    rules: ClassVar[Rules] = words.rules(
        defaults_of(HealthMonitorSpec),
        *("delay", "timeout", "retries", "failures", "path", "method", "codes", "enabled"),
    )

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> HealthMonitorSpec:
        """The typed spec."""
        return HealthMonitorSpec(
            pool=plain["pool"],
            type=plain["type"],
            delay=plain["delay"],
            timeout=plain["timeout"],
            retries=plain["retries"],
            failures=plain["failures"],
            path=plain["path"],
            method=plain["method"],
            codes=plain["codes"],
            enabled=plain["enabled"],
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The pool, which has one monitor."""
        return frozenset() if spec.pool is UNKNOWN else frozenset({Claim("name", spec.pool, "its monitor")})
