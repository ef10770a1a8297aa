"""A door for signals: a URL with a token of its own, which guests can knock at with curl."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.signal import HandleSpec
from terrace.ports.driver import Capabilities

SIGNAL = "signal/"
ROTATE = "rotate"

DOOR = {
    "id": "Its id.",
    "url": "The URL with its token in it: whoever has it can send signals. Secret.",
    "endpoint": "The URL without the token.",
    "token": "The token, for a header X-Auth-Token. Secret.",
}


class WaitConditionHandle(Noun):
    """A URL that signals are sent to."""

    name = "WaitConditionHandle"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "form": Property(
                Type.STRING,
                "What get_resource gives: its id, or its url.",
                default="id",
                allowed=("id", "url"),
            ),
        },
        attributes={
            **DOOR,
            "curl_cli": "A command line that sends a signal; add --data-binary to say more. Secret.",
            "signals": "The signals that came, by their id: status, reason, data.",
        },
        description="A URL that guests send signals to, by curl or wget. "
        "What came is kept with it; a WaitCondition waits for it.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"rotation", "signals"}), defaults=defaults_of(HandleSpec)
    )

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> HandleSpec:
        """The typed spec."""
        return HandleSpec(form=plain["form"])

    def directed(self, spec: HandleSpec, directives: Mapping[str, Any]) -> HandleSpec:
        """With the signals that came, and how often its token was changed."""
        came = {what[len(SIGNAL) :]: one for what, one in directives.items() if what.startswith(SIGNAL)}
        return replace(spec, rotation=directives.get(ROTATE, 0), signals=came)

    def reference(self, seen: Seen) -> Any:
        """Its id or its URL, as was asked for."""
        return seen.attributes.get("reference", seen.provider_id)
