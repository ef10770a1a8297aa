"""A JSON Schema (draft 7, which editors know best) of templates and environments, made from the tables that
compiling uses. It is what an editor needs to complete names and to mark most mistakes while they are typed;
`terrace validate` finds all of them."""

from __future__ import annotations

from typing import Any

from terrace.kinds import TYPES
from terrace.kinds.schema import TypeEntry
from terrace.languages.editor.functions import FunctionHelp, describe_functions
from terrace.languages.editor.values import any_of, properties_schema
from terrace.languages.hot import resources, template, versions
from terrace.languages.hot.environments import reading as environment
from terrace.languages.hot.environments.merging import STRATEGIES
from terrace.languages.hot.parameters import parameter as parameters

DRAFT = "http://json-schema.org/draft-07/schema#"
TEXT = {"type": "string"}
LABEL = {"type": ["string", "number"]}
FLAG = {"enum": [True, False, "true", "false", "True", "False"]}
POLICY = {"enum": sorted({*(name.title() for name in resources.POLICIES), *resources.POLICIES})}
FUNCTION = {"$ref": "#/definitions/function"}
CONDITION = any_of({"type": ["string", "boolean"]}, FUNCTION)
NAME = {"pattern": f"^{template.NAME.pattern}$"}

# What a key of a template holds. A key that the language takes and that is not here may hold anything.
SECTIONS: dict[str, Any] = {
    versions.VERSION_KEY: {
        "description": "The version of the language, which decides which functions there are.",
        "enum": [*versions.VERSIONS, *versions.NAMES],
    },
    "description": {"description": "What the template is for.", **LABEL},
    "parameter_groups": {
        "description": "Labels for people: how to ask for parameters.",
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {
                "label": LABEL,
                "description": LABEL,
                "parameters": {"type": "array", "items": TEXT},
            },
            "additionalProperties": False,
        },
    },
    "parameters": {
        "description": "What whoever uses the template is asked for.",
        "type": ["object", "null"],
        "propertyNames": NAME,
        "additionalProperties": {"$ref": "#/definitions/parameter"},
    },
    "conditions": {
        "description": "Names for what holds or does not: they see parameters only.",
        "type": ["object", "null"],
        "additionalProperties": CONDITION,
    },
    "resources": {
        "description": "What is wanted.",
        "type": ["object", "null"],
        "propertyNames": NAME,
        "additionalProperties": {"$ref": "#/definitions/resource"},
    },
    "outputs": {
        "description": "What to tell once it stands.",
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/definitions/output"},
    },
}
RESOURCE_KEYS: dict[str, Any] = {
    "properties": {"description": "What it is to be.", "type": ["object", "null"]},
    "metadata": {"description": "Data that goes with it.", "type": ["object", "null"]},
    "depends_on": {
        "description": "Resources that must be there first, besides those that it refers to.",
        **any_of(TEXT, {"type": "array", "items": any_of(TEXT, FUNCTION)}, FUNCTION),
    },
    "deletion_policy": {
        "description": "What becomes of it when the template no longer wants it.",
        **any_of(POLICY, FUNCTION),
    },
    "update_policy": {
        "description": "How many members of a group change at once.",
        "type": ["object", "null"],
    },
    "description": {"description": "What it is for.", **LABEL},
    "external_id": {
        "description": "The id of a thing that exists: it is looked at, never made or deleted.",
        **any_of(TEXT, FUNCTION),
    },
    "condition": {"description": "It is there only when this holds.", **CONDITION},
}
_BOUND = {"type": ["number", "string"]}
_BOUNDS = {"type": "object", "properties": {"min": _BOUND, "max": _BOUND}, "additionalProperties": False}
CONSTRAINTS: dict[str, Any] = {
    "length": _BOUNDS,
    "range": _BOUNDS,
    "modulo": {
        "type": "object",
        "properties": {"step": _BOUND, "offset": _BOUND},
        "required": ["step", "offset"],
        "additionalProperties": False,
    },
    "allowed_values": {"type": "array"},
    "allowed_pattern": TEXT,
    "custom_constraint": TEXT,
}
PARAMETER_KEYS: dict[str, Any] = {
    "type": {"description": "What values it takes.", "enum": list(parameters.TYPES)},
    "label": LABEL,
    "description": {"description": "What it is for.", **LABEL},
    "default": {"description": "The value when none is given."},
    "hidden": {"description": "Its value is shown nowhere.", **FLAG},
    "immutable": {"description": "Its value can never be changed.", **FLAG},
    "tags": {"type": ["array", "null"], "items": TEXT},
    "constraints": {
        "description": "What its value must fit.",
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {
                **{name: CONSTRAINTS.get(name, {}) for name in parameters.FITS},
                "description": LABEL,
            },
            "additionalProperties": False,
        },
    },
}
ENVIRONMENT: dict[str, Any] = {
    "parameters": {"description": "Values of the template's parameters.", "type": ["object", "null"]},
    "parameter_defaults": {
        "description": "Values for whoever has such a parameter, nested templates too.",
        "type": ["object", "null"],
    },
    "resource_registry": {
        "description": "What types stand for: another type, or the file of a template. A * at the end stands for the "
        "rest of a name; nothing (null) takes back what was said before.",
        "type": ["object", "null"],
    },
    "parameter_merge_strategies": {
        "description": "How a parameter's values from several environments go together.",
        "type": ["object", "null"],
        "additionalProperties": {"enum": list(STRATEGIES)},
    },
    "moved": {
        "description": "Resources that have another name now: the old path, and the new one.",
        "type": ["object", "null"],
        "additionalProperties": TEXT,
    },
    **{name: {"description": f"Has no effect: {why}."} for name, why in environment.WITHOUT_EFFECT.items()},
}


def template_schema() -> dict[str, Any]:
    """The schema of a template."""
    return {
        "$schema": DRAFT,
        "title": "HOT template",
        "type": "object",
        "required": [versions.VERSION_KEY],
        "properties": {name: SECTIONS.get(name, {}) for name in template.SECTIONS},
        "additionalProperties": False,
        "definitions": {
            "parameter": {
                "type": "object",
                "required": ["type"],
                "properties": {name: PARAMETER_KEYS.get(name, {}) for name in sorted(parameters.KEYS)},
                "additionalProperties": False,
            },
            "resource": _resource(),
            "output": {
                "type": "object",
                "required": ["value"],
                "properties": {"value": {}, "description": LABEL, "condition": CONDITION},
                "additionalProperties": False,
            },
            "function": _function(),
            **{_name(entry): _properties(entry) for entry in TYPES.values()},
        },
    }


def environment_schema() -> dict[str, Any]:
    """The schema of an environment."""
    names = (*environment.SECTIONS, *environment.WITHOUT_EFFECT)
    return {
        "$schema": DRAFT,
        "title": "HOT environment",
        "type": ["object", "null"],
        "properties": {name: ENVIRONMENT.get(name, {}) for name in names},
        "additionalProperties": False,
    }


def _resource() -> dict[str, Any]:
    """A resource; what its properties may be depends on its type, unless a function makes them. Any other text may
    be a type too: a file, or what an environment defines."""
    known = {"enum": sorted(TYPES)}
    types = {"description": "What it is: a type, or the file of a template.", **any_of(known, TEXT)}
    keys = {"type": types} | {name: RESOURCE_KEYS.get(name, {}) for name in sorted(resources.KEYS - {"type"})}
    return {
        "type": "object",
        "required": ["type"],
        "properties": keys,
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"type": {"const": entry.type}, "properties": {"not": FUNCTION}}},
                "then": {"properties": {"properties": {"$ref": f"#/definitions/{_name(entry)}"}}},
            }
            for entry in TYPES.values()
        ],
    }


def _name(entry: TypeEntry) -> str:
    return entry.type.replace("::", ".")


def _properties(entry: TypeEntry) -> dict[str, Any]:
    """The properties of one type."""
    schema = properties_schema(entry.properties, FUNCTION)
    schema["type"] = ["object", "null"]
    schema["description"] = entry.description
    if entry.open:
        schema["additionalProperties"] = True
    if not schema.get("required"):
        schema.pop("required", None)
    return schema


def _function() -> dict[str, Any]:
    """A map with one key, the name of a function."""
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            one.name: {"description": f"{one.description} {_span(one)} {one.example}"}
            for one in describe_functions()
        },
        "additionalProperties": False,
    }


def _span(one: FunctionHelp) -> str:
    return f"From {one.since} to {one.until}: {one.instead} now." if one.until else f"Since {one.since}."
