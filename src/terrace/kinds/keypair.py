"""Keys for ssh."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.kinds.rules.address import fitted
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.simple import KeyPairSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

PUBLIC_KEY = r"(ssh-[a-z0-9@.-]+|ecdsa-[a-z0-9@.-]+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+( [^\n]*)?\s*"


class KeyPair(Noun):
    """A key for ssh, given or made. Its reference is the public key itself, so that it can be handed on
    through any template."""

    name = "KeyPair"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(Type.STRING, "Its name; the resource's own by default.", shorthand=fitted),
            "public_key": Property(
                Type.STRING, "The public key; without one a pair is made.", pattern=PUBLIC_KEY
            ),
        },
        attributes={
            "name": "Its name.",
            "public_key": "The public key.",
            "private_key": "The private key, when a pair was made (hidden).",
            "fingerprint": "The public key's fingerprint.",
        },
        description="A key for ssh, given or made. Its reference is the public key.",
    )
    rules: ClassVar[Rules] = Rules(defaults=defaults_of(KeyPairSpec))
    foretold: ClassVar[dict[str, str]] = {"name": "name", "public_key": "public_key"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> KeyPairSpec:
        """The typed spec."""
        return KeyPairSpec(plain.get("name", node.path.replace("/", "-")), plain.get("public_key", ""))

    def reference(self, seen: Seen) -> Any:
        """The public key."""
        return seen.attributes.get("public_key")

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The name, and the public key when it was given."""
        if not path and wanted.spec.public_key is not UNKNOWN and wanted.spec.public_key:
            return wanted.spec.public_key
        return super().foretell(wanted, path)
