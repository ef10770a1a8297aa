"""heat.md: what of Heat's templates works, type by type, function by function, template by template."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scripts.reference.providers import SWITCHES, declared
from scripts.reference.text import REFERENCE, code, page, table, words

VALUES = (
    "A parameter's value comes from `-p` or `--parameters`, else from `parameters` of the environments (the later"
    " one wins, or is merged as `parameter_merge_strategies` says), else from `parameter_defaults`, which reach "
    "nested templates too, else from `default`. `get_attr` of something that is not there yet makes a property "
    "wait; an output is nothing until then, and a plan says that the value is not known yet. In a group `%index%`"
    " (or `index_var`) stands for the member's number in every text, and `get_attr: [group, ATTRIBUTE]` gives the"
    " list of all members'."
)
LABELS = "\n- `parameter_groups`, and `label` and `tags` of a parameter, are checked and are for people."


def heat() -> str:
    """The page."""
    return page(
        "Heat",
        "Terrace reads HOT, the template language of OpenStack Heat. This page says what of it works, and what not. "
        "What a provider cannot do is said in the plan, before anything runs: *maps to*, *ignored because* or "
        "*refused because*. [Bring your Heat templates](../howto/heat-templates.md) says how to begin.",
        *_documents(),
        *_types(),
        *_properties(),
        *_noted(),
        *_functions(),
        *_corpus(),
    )


def _documents() -> list[str]:
    from terrace.languages.hot import resources, template, versions
    from terrace.languages.hot.environments import reading as environment
    from terrace.languages.hot.parameters import parameter as parameters

    dates = {date: name for name, date in versions.NAMES.items()}
    shown = [f"{code(date)} ({dates[date]})" if date in dates else code(date) for date in versions.VERSIONS]
    rows = [
        ["Versions", ", ".join(shown)],
        ["Sections", _names(template.SECTIONS)],
        ["Keys of a resource", _names(sorted(resources.KEYS))],
        ["Keys of a parameter", _names(sorted(parameters.KEYS))],
        ["Types of parameters", _names(parameters.TYPES)],
        ["Constraints", _names(parameters.FITS)],
        ["Pseudo parameters", _names(parameters.PSEUDO)],
        ["Sections of an environment", _names(environment.SECTIONS)],
    ]
    return [
        "## Documents",
        "YAML or JSON, one document per file, no duplicate keys, no tags. Nested templates are named by their file "
        "(`type: part.yaml`): parameters are properties, outputs are attributes, up to 20 deep. Files are sent along "
        "by the command line; nothing is fetched from the network.",
        table(["Part", "What is read"], rows),
        VALUES,
        "\n".join(
            f"- `{name}` of an environment has no effect: {why}."
            for name, why in environment.WITHOUT_EFFECT.items()
        )
        + LABELS,
    ]


def _types() -> list[str]:
    providers = declared()
    rows = [
        [
            code(entry.type),
            f"[{entry.kind}](kinds.md#{entry.kind.lower()})",
            *(_verdict(entry, one) for one in providers.values()),
        ]
        for entry in _foreign()
    ]
    return [
        "## Types",
        "Each type becomes one of Terrace's [kinds](kinds.md). *Supported*: the provider has it. *Terrace*: Terrace "
        "makes it itself, whatever the provider. Any other type is an error in `up` and a warning in `terrace "
        "validate`; an environment can map it to one of these, to a template of yours, or to `OS::Heat::None`.",
        table(["Type", "Kind", *providers], rows),
    ]


def _foreign() -> list[Any]:
    from terrace.kinds import NATIVE, TYPES

    return sorted(
        (one for one in TYPES.values() if not one.type.startswith(NATIVE)), key=lambda one: one.type
    )


def _verdict(entry: Any, capabilities: Any) -> str:
    """What a provider makes of a type."""
    from terrace.kinds import KINDS
    from terrace.model.graph import Node

    kind = KINDS[entry.kind]
    node = Node(path="it", kind=entry.kind, type_name=entry.type)
    notes = [f"{note.verdict} {note.words}" for note in kind.notes(node, capabilities) if not note.what]
    if notes:
        said = "; ".join(notes)
        for setting, value in SWITCHES.items():
            said = said.replace(value, code(setting))
        return said
    if kind.provider or kind.composite:
        return "Terrace"
    return "supported" if entry.kind in capabilities.kinds else "refused: it has no such thing"


def _properties() -> list[str]:
    from terrace.languages.hot.functions.absent import WHY

    rows = []
    for entry in _foreign():
        for what in ("ignored", "refused"):
            reasons: dict[str, list[str]] = {}
            for name, prop in _flat(entry.properties):
                if getattr(prop, what):
                    reasons.setdefault(getattr(prop, what), []).append(name)
            rows += [[code(entry.type), _names(names), what, why] for why, names in reasons.items()]
    return [
        "## Properties that are not taken",
        "All other properties of these types are. *Ignored*: accepted, without effect; `terrace validate` and the "
        "plan warn. *Refused*: giving it is an error, because ignoring it would change what you get. `terrace template "
        "types TYPE` tells all of one type.",
        table(["Type", "Properties", "", "Why"], rows),
        f"Attributes that Heat gives and nothing here has a value for ({WHY}) are read as nothing, with a warning:",
        table(["Type", "Attributes"], [[code(name), _names(sorted(names))] for name, names in _absent()]),
    ]


def _noted() -> list[str]:
    """What providers make of properties of our kinds, and of single values of them."""
    from terrace.kinds import KINDS

    rows = [
        [provider, f"[{kind}](kinds.md#{kind.lower()})", code(note.what), f"{note.verdict} {note.words}"]
        for provider, capabilities in declared().items()
        for kind in sorted(capabilities.notes)
        if kind in KINDS
        for note in capabilities.notes[kind]
        if note.what
    ]
    return [
        "## What providers make of properties",
        "Under the native names of [kinds](kinds.md); `name=VALUE` is of that value alone. What is refused is told by "
        "`terrace plan`, before anything runs.",
        table(["Provider", "Kind", "Property", ""], rows),
    ]


def _absent() -> list[tuple[str, list[str]]]:
    """By type, the attributes that are read as nothing."""
    from terrace.languages.hot.functions.absent import ABSENT

    gone = {
        one.type: [name for name in ABSENT.get(one.type, ()) if one.attribute((name,)) is None]
        for one in _foreign()
    }
    return [(name, names) for name, names in gone.items() if names]


def _flat(properties: Any, before: str = "") -> Iterable[tuple[str, Any]]:
    for name, prop in properties.items():
        yield before + name, prop
        yield from _flat(prop.properties, f"{before}{name}.")
        if prop.items is not None:
            yield from _flat(prop.items.properties, f"{before}{name}[].")


def _functions() -> list[str]:
    from terrace.languages.editor.functions import describe_functions

    rows = [[code(one.name), _span(one), ", ".join(one.where), _line(one)] for one in describe_functions()]
    return [
        "## Functions",
        "In a version before the one that brought it, the name of a function is plain data, as in Heat.",
        table(["Function", "Versions", "May stand in", "What it gives"], rows),
    ]


def _span(one: Any) -> str:
    return f"{one.since} to {one.until}" if one.until else f"from {one.since} on"


def _line(one: Any) -> str:
    instead = f" Later: {one.instead}." if one.instead else ""
    return f"{one.description}{instead} {code(one.example)}"


def _corpus() -> list[str]:
    import tomllib

    found = tomllib.loads((REFERENCE / "corpus.toml").read_text(encoding="utf-8"))["templates"]
    told = words("heat")
    rows = [[code(row["template"]), *_outcome(row, told)] for row in found]
    return [
        "## Real templates",
        "Templates that people wrote for Heat (from openstack/heat-templates), and what becomes of them on Docker. "
        "*Runs*: tests bring it up with its whole content in effect, check what it is for, and take it down. *Nothing "
        "against it*: every part of it is supported, but no test runs it. *No*: the reason stands beside it. Images, "
        "keys and networks are named as on the author's cloud: see [how to bring a "
        "template](../howto/heat-templates.md).",
        table(["Template", "On Docker", "Why, and what to know"], rows),
    ]


def _outcome(row: dict[str, Any], told: dict[str, dict[str, str]]) -> list[str]:
    name = row["template"]
    against = [*filter(None, [told["never"].get(name)]), *row.get("against", ())]
    with_environment = f"with {code(row['environment'])}" if row.get("environment") else ""
    without = f"without effect: {'; '.join(row['without'])}" if row.get("without") else ""
    becomes = f"maps to: {'; '.join(row['becomes'])}" if row.get("becomes") else ""
    lacks = f"the corpus lacks {', '.join(row['lacks'])}" if row.get("lacks") else ""
    said = [told["runs"].get(name, ""), *against, with_environment, becomes, without, lacks]
    verdict = "runs" if name in told["runs"] else "no" if against else "nothing against it"
    return [verdict, ". ".join(one[0].upper() + one[1:] for one in said if one)]


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
