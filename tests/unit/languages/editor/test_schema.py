"""The JSON Schema takes what compiling takes, and marks the mistakes that editors should mark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from terrace.kinds import TYPES
from terrace.languages.document import LIMITS
from terrace.languages.editor.schema import environment_schema, template_schema
from terrace.languages.hot.parameters.parameter import FITS, KEYS
from terrace.languages.hot.resources import KEYS as RESOURCE_KEYS
from terrace.languages.hot.template import SECTIONS
from terrace.languages.report import Report
from terrace.languages.tree import parse
from tests.unit.languages.editor.judge import KNOWN, faults, words
from tests.unit.languages.test_corpus import ENVIRONMENTS, TEMPLATES

ROOT = Path(__file__).parents[4]
SCHEMA = template_schema()
ENVIRONMENT = environment_schema()


def tree(text: str) -> Any:
    document = parse(text, "t.yaml", Report(), LIMITS)
    assert document is not None
    return document.root


def wrong(text: str) -> list[str]:
    return list(faults(SCHEMA, tree(text), SCHEMA))


def resource(kind: str, properties: str) -> str:
    return (
        f"heat_template_version: 2018-08-31\nresources:\n  a: {{type: '{kind}', properties: {properties}}}\n"
    )


@pytest.mark.parametrize("schema", [SCHEMA, ENVIRONMENT], ids=["template", "environment"])
def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert set(words(schema)) <= KNOWN, "the judge knows all that is used"


def test_every_reference_leads_somewhere() -> None:
    named = {part.split('"')[0] for part in json.dumps(SCHEMA).split('"#/definitions/')[1:]}
    assert named <= set(SCHEMA["definitions"])


def test_every_table_is_in_it() -> None:
    definitions = SCHEMA["definitions"]
    assert set(SCHEMA["properties"]) == set(SECTIONS)
    assert set(definitions["resource"]["properties"]) == set(RESOURCE_KEYS)
    assert set(definitions["parameter"]["properties"]) == set(KEYS)
    constraints = definitions["parameter"]["properties"]["constraints"]["items"]["properties"]
    assert set(constraints) == {*FITS, "description"}
    for name, entry in TYPES.items():
        assert set(definitions[name.replace("::", ".")]["properties"]) == set(entry.properties), name


def test_every_key_says_what_it_is_for() -> None:
    """What an editor shows of a key: a key that the language gains needs a text here."""
    definitions = SCHEMA["definitions"]
    tables = [SCHEMA["properties"], definitions["resource"]["properties"]]
    assert [name for table in tables for name, one in table.items() if "description" not in one] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_real_templates_fit(file: Path) -> None:
    assert wrong(file.read_text()) == []


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_real_environments_fit(file: Path) -> None:
    assert list(faults(ENVIRONMENT, tree(file.read_text()), ENVIRONMENT)) == []


def test_our_examples_fit() -> None:
    files = sorted((ROOT / "examples").rglob("*.yaml"))
    assert files
    texts = [file.read_text() for file in files]
    assert [wrong(text) for text in texts if "heat_template_version" in text and "resources" in text] != []
    assert [found for text in texts if "heat_template_version" in text for found in wrong(text)] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("resources: {}\n", "lacks heat_template_version"),
        ("heat_template_version: 2018-08-32\n", ".heat_template_version: not one of"),
        ("heat_template_version: 2018-08-31\nresurces: {}\n", ".resurces: is not known"),
        ("heat_template_version: 2018-08-31\nparameters: {a: {type: strin}}\n", ".type: not one of"),
        ("heat_template_version: 2018-08-31\nparameters: {a: {default: 1}}\n", "lacks type"),
        ("heat_template_version: 2018-08-31\nresources: {a: {properties: {}}}\n", "lacks type"),
        (
            "heat_template_version: 2018-08-31\nresources: {a: {type: x, propertys: {}}}\n",
            "propertys: is not",
        ),
        ("heat_template_version: 2018-08-31\nresources: {a/b: {type: x}}\n", "a/b: does not match"),
        ("heat_template_version: 2018-08-31\noutputs: {a: {description: x}}\n", "lacks value"),
        (resource("OS::Heat::RandomString", "{lenght: 1}"), ".lenght: is not known"),
        (resource("OS::Heat::RandomString", "{length: 0}"), ".length: fits none"),
        (resource("OS::Heat::RandomString", "{length: [1]}"), ".length: fits none"),
        (resource("OS::Heat::RandomString", "{sequence: letter}"), ".sequence: fits none"),
        (resource("OS::Nova::Server", "{image: x}"), "lacks flavor"),
        (resource("OS::Nova::Server", "{flavor: {get_parm: x}}"), ".flavor: fits none"),
        (
            resource("OS::Heat::ResourceGroup", "{resource_def: {type: x, propertys: {}}}"),
            ".resource_def: fits",
        ),
    ],
)
def test_mistakes_are_marked(text: str, says: str) -> None:
    assert says in "\n".join(wrong(text))


@pytest.mark.parametrize(
    "text",
    [
        resource("OS::Heat::RandomString", "{length: '12', sequence: lowercase, salt: 5}"),
        resource("OS::Heat::RandomString", "{length: {get_param: x}, salt: null}"),
        resource("OS::Nova::Server", "{flavor: m1.small, networks: [{network: {get_resource: x}}]}"),
        resource("OS::Nova::Server", "{if: [big, {flavor: m1.large}, {flavor: m1.small}]}"),
        resource("My::Own::Type", "{any: thing}"),
        resource("part.yaml", "{any: thing}"),
        "heat_template_version: wallaby\nresources:\noutputs:\n",
    ],
)
def test_what_is_right_is_not_marked(text: str) -> None:
    assert wrong(text) == []
