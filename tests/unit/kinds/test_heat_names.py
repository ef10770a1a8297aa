"""Everything that Heat's types take and give is known: taken, or ignored or refused with the reason. A template that
names it is never told that there is no such thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from terrace.kinds import TYPES
from terrace.kinds.schema import Property
from terrace.languages import check_source
from terrace.languages.hot.functions.absent import ABSENT
from terrace.model.stack import Source

NAMES: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "heat_names.yaml").read_text())
THERE = [name for name in NAMES if name in TYPES]


def test_every_type_that_templates_often_name_is_there() -> None:
    """But for stacks in other regions."""
    assert set(NAMES) - set(TYPES) <= {"OS::Heat::Stack"}


def known(table: dict[str, Property], path: str) -> bool:
    """Whether a table has a property, or a part of one. What is not taken as a whole has no parts."""
    name, _, rest = path.partition(".")
    prop = table.get(name)
    if prop is None:
        return False
    parts = prop.properties or (prop.items.properties if prop.items is not None else {})
    return not rest or not parts or known(parts, rest)


@pytest.mark.parametrize("name", THERE)
def test_every_property_of_heat_is_known(name: str) -> None:
    entry = TYPES[name]
    words = NAMES[name].get("properties", "").split()
    assert entry.open or [word for word in words if not known(entry.properties, word)] == []


@pytest.mark.parametrize("name", THERE)
def test_every_attribute_of_heat_is_known(name: str) -> None:
    entry = TYPES[name]
    words = NAMES[name].get("attributes", "").split()
    absent = ABSENT.get(name, frozenset())
    assert [word for word in words if entry.attribute((word,)) is None and word not in absent] == []


def test_what_is_absent_is_an_attribute_of_heat() -> None:
    told = {name: set(words.get("attributes", "").split()) for name, words in NAMES.items()}
    assert {name: words - told[name] for name, words in ABSENT.items() if words - told[name]} == {}


def found(text: str) -> list[Any]:
    source = Source("t.yaml", {"t.yaml": f"heat_template_version: 2018-08-31\n{text}"})
    return [(one.severity, one.code, one.line, one.column) for one in check_source(source)]


def test_an_attribute_without_a_value_is_nothing_and_said() -> None:
    server = "resources:\n  s: {type: 'OS::Nova::Server', properties: {flavor: m1.tiny, image: x}}\n"
    output = "outputs:\n  o: {value: {get_attr: [s, console_urls, novnc]}}\n"
    assert found(server + output) == [("warning", "ignored-attribute", 5, 29)]
