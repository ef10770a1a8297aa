"""kinds.md: what templates can ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from scripts.reference.providers import docker
from scripts.reference.text import code, page, table


def kinds() -> str:
    """Every kind: what templates call it, its properties and attributes."""
    from terrace.kinds import NOUNS, TYPES
    from terrace.kinds.schema import unchanged

    parts = [
        "What a template can ask for. Each kind has a name of its own (`Terrace::Machine`); many also answer to the "
        "name that OpenStack Heat uses (`OS::Nova::Server`), with Heat's property names.",
        "*A change takes* says what follows when you change the property of a resource that exists: **in place**, "
        "**replacement** (a new one is made, then the old one goes), or **nothing**. Where providers differ, the "
        "answer is Docker's; `terrace plan` tells it for your own.",
        f"Types: `size` is a number of MiB, or text such as `512M`, `2G`; `duration` a number of seconds, or text "
        f"such as `30s`, `5m`. `provider` may stand in every kind that is not made by Terrace itself. "
        f"{len(TYPES)} type names in all.",
        table(
            ["Kind", "Heat", "What it is"],
            [
                [
                    f"[{noun.name}](#{noun.name.lower()})",
                    ", ".join(map(code, _heat(noun.name))),
                    noun.schema.description,
                ]
                for noun in NOUNS
            ],
        ),
    ]
    for noun in NOUNS:
        parts += _kind(noun)
        for name in _heat(noun.name):
            entry = TYPES[name]
            if entry.translate is not unchanged:
                parts += _heat_type(entry)
    return page("Kinds", *parts)


def _heat(kind: str) -> list[str]:
    from terrace.kinds import NATIVE, TYPES

    return [name for name, entry in TYPES.items() if entry.kind == kind and not name.startswith(NATIVE)]


def _kind(noun: Any) -> list[str]:
    schema = noun.schema
    made = "Made by Terrace itself." if noun.provider == "builtin" else "Made by the provider."
    shared = " Shared: made when missing, never deleted with a stack." if noun.shared else ""
    native = (
        "named by its file, such as `type: part.yaml`" if noun.name == "Nested" else f"`Terrace::{noun.name}`"
    )
    rows = list(_properties(noun, schema.properties))
    return [
        f"## {noun.name}",
        f"{schema.description} {made}{shared}",
        f"In templates: {native}.",
        _open(schema.open, "It takes any properties."),
        table(["Property", "Type", "Default", "A change takes", "What it is"], rows),
        table(["Attribute", "What it is"], [[code(name), text] for name, text in schema.attributes.items()]),
        _open(schema.any_attribute and bool(schema.attributes), "Other attributes are those of its members."),
    ]


def _open(true: bool, text: str) -> str:
    return text if true else ""


def _properties(
    noun: Any, properties: Mapping[str, Any], before: str = "", takes: str = ""
) -> Iterable[list[str]]:
    for name, prop in properties.items():
        path = f"{before}{name}"
        change = takes or _takes(noun, name, prop)
        shown = "required" if prop.required else _default(prop)
        text = prop.description + (
            f" One of {', '.join(map(code, filter(None, prop.allowed)))}." if prop.allowed else ""
        )
        text += " May be hidden." if prop.secret or (prop.items is not None and prop.items.secret) else ""
        yield [code(path), _type(prop), shown, change, text]
        if prop.properties:
            yield from _properties(noun, prop.properties, f"{path}.", change)
        if prop.items is not None and prop.items.properties:
            yield from _properties(noun, prop.items.properties, f"{path}[].", change)


def _type(prop: Any) -> str:
    items = f" of {prop.items.type}" if prop.items is not None else ""
    return f"{prop.type}{items}"


def _default(prop: Any) -> str:
    if prop.default is None or prop.default == "":
        return ""
    value = prop.default
    return code(msgspec.json.encode(value).decode() if not isinstance(value, str) else value)


def _takes(noun: Any, name: str, prop: Any) -> str:
    """What a change of a property of a Noun takes, by its rules and what Docker does in place."""
    rules = getattr(noun, "rules", None)
    if rules is None or noun.composite or name not in rules.defaults | dict.fromkeys(rules.inert):
        return {"update": "in place", "replace": "replacement", "none": "nothing"}[prop.changes]
    if name in rules.inert:
        return "nothing" if prop.changes == "none" else "what it stands for"
    if rules.forces(name, docker().in_place.get(noun.name, frozenset())):
        return "refused: the data would go" if noun.name == "Volume" else "replacement"
    return "in place"


def _heat_type(entry: Any) -> list[str]:
    properties = entry.properties
    taken = [name for name, prop in properties.items() if not prop.ignored and not prop.refused]
    lines = [f"- Properties: {_names(taken) or 'any'}."]
    if entry.attributes:
        lines.append(f"- Attributes: {_names(entry.attributes)}.")
    for what, why in (("Accepted without effect", "ignored"), ("Refused", "refused")):
        reasons: dict[str, list[str]] = {}
        for name, prop in properties.items():
            if getattr(prop, why):
                reasons.setdefault(getattr(prop, why), []).append(name)
        lines += [f"- {what} ({reason}): {_names(names)}." for reason, names in reasons.items()]
    return [f"**`{entry.type}`**", "\n".join(lines)]


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
