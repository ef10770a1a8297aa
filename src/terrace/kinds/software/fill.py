"""References to configurations, said in full where a template shows both ends: so a plan knows what they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from terrace.model.graph import Node
from terrace.model.value import Ref

CONFIGS = frozenset({"SoftwareConfig", "CloudConfig", "MultipartMime"})


def configs(nodes: Iterable[Node]) -> frozenset[str]:
    """The paths of the configurations among the nodes of one template."""
    return frozenset(node.path for node in nodes if node.kind in CONFIGS)


def with_config(values: Mapping[str, Any], name: str, known: frozenset[str]) -> dict[str, Any]:
    """`values` with a reference to one of the `known` configurations at `name` leading to its text."""
    value = values.get(name)
    if type(value) is Ref and not value.path and value.node in known:
        return {**values, name: Ref(value.node, ("config",))}
    return dict(values)


def filled(node: Node, known: frozenset[str]) -> dict[str, Any]:
    """The properties of a machine or of a MIME message with such references in full; the very same
    object where nothing changes."""
    properties = node.properties
    parts = properties.get("parts")
    if node.kind == "Machine":
        properties = with_config(properties, "user_data", known)
    elif node.kind == "MultipartMime" and isinstance(parts, list):
        properties = {**properties, "parts": [_part(part, known) for part in parts]}
    return properties if properties != node.properties else node.properties


def _part(part: Any, known: frozenset[str]) -> Any:
    return with_config(part, "config", known) if isinstance(part, dict) else part
