"""The templates that are measured, and the graphs that they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

VERSION = "2021-04-16"
LAYERS = 10
Needs = Mapping[str, Sequence[str]]
"""What each resource depends on."""


def flat(count: int) -> dict[str, list[str]]:
    """Resources that need nothing."""
    return {f"r{number}": [] for number in range(count)}


def chain(count: int) -> dict[str, list[str]]:
    """Each needs the one before it."""
    return {f"r{number}": [f"r{number - 1}"] if number else [] for number in range(count)}


def layered(count: int) -> dict[str, list[str]]:
    """Ten layers; each resource needs three of the layer above it."""
    width = count // LAYERS
    needs: dict[str, list[str]] = {}
    for number in range(count):
        layer, place = divmod(number, width)
        above = [(layer - 1) * width + (place * 7 + turn * 14) % width for turn in range(3)] if layer else []
        needs[f"r{number}"] = [f"r{other}" for other in dict.fromkeys(above)]
    return needs


def values(needs: Needs) -> str:
    """A template of Value resources with these dependencies."""
    resources: dict[str, Any] = {}
    for name, wanted in needs.items():
        resources[name] = {"type": "OS::Heat::Value", "properties": {"value": f"v{name}"}}
        if wanted:
            resources[name]["depends_on"] = list(wanted)
    return document(resources)


def volumes(count: int) -> str:
    """A template of volumes, which the default provider makes."""
    properties = {"size": 1}
    return document(
        {f"r{number}": {"type": "Terrace::Volume", "properties": dict(properties)} for number in range(count)}
    )


def machines(count: int, image: str) -> str:
    """A template of machines that do nothing."""
    properties = {"image": image, "memory": 64, "command": ["sleep", "2147483647"]}
    return document(
        {
            f"m{number}": {"type": "Terrace::Machine", "properties": dict(properties)}
            for number in range(count)
        }
    )


def references(count: int) -> str:
    """A template of Value resources with three references each."""
    resources: dict[str, Any] = {}
    for number in range(count):
        wanted = [number - 1 - step * 3 for step in range(3)]
        value: Any = [{"get_attr": [f"r{other}", "value"]} for other in wanted if other >= 0]
        resources[f"r{number}"] = {"type": "OS::Heat::Value", "properties": {"value": value or "first"}}
    return document(resources)


def document(resources: Mapping[str, Any]) -> str:
    """YAML as people write it, in blocks."""
    whole = {"heat_template_version": VERSION, "resources": resources}
    return yaml.dump(whole, Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=False)
