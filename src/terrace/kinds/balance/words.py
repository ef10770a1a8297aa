"""What properties of load balancers have in common."""

from __future__ import annotations

from typing import Final

from terrace.kinds.rules.address import fitted
from terrace.kinds.rules.difference import Rules
from terrace.kinds.schema import Property, Type
from terrace.model.decision import Effect

PROTOCOLS: Final = ("TCP", "HTTP", "HTTPS", "TERMINATED_HTTPS", "PROXY", "UDP")

NAMED: Final = Property(
    Type.STRING, "A name for people; the resource's own by default.", shorthand=fitted, changes=Effect.UPDATE
)
DESCRIBED: Final = Property(Type.STRING, "A few words for people.", default="", changes=Effect.UPDATE)
SHOW: Final = "All of it, as a map."


def enabled(what: str) -> Property:
    """Whether it does anything."""
    return Property(Type.BOOLEAN, what, default=True, changes=Effect.UPDATE)


def port(description: str, *, required: bool = False) -> Property:
    """A port of TCP."""
    return Property(Type.INTEGER, description, required=required, minimum=1, maximum=65535)


def rules(defaults: dict[str, object], *in_place: str) -> Rules:
    """What people call it changes in place everywhere, `in_place` where the provider can."""
    return Rules(
        always=frozenset({"name", "description"}) & defaults.keys(),
        in_place=frozenset(in_place),
        defaults=defaults,
    )
