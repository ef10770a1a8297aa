"""A document that is only checked: what is not about the language is a warning, and stands at its place."""

from __future__ import annotations

import pytest

from terrace.errors import DocumentError
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.languages import check_source, compile_source
from terrace.model.stack import Source

FUEL = Property(Type.MAP, properties={"kind": Property(Type.STRING, refused="it burns")})
ROCKET = TypeEntry("Acme::Rocket", "Value", {"value": Property(Type.ANY), "fuel": FUEL}, {"value": "value"})
KINDS = {ROCKET.type: ROCKET}
HEAD = "heat_template_version: 2018-08-31\n"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("resources: {a: {type: Acme::Moon}}", "unsupported-type", (2, 23)),
        ("resources: {a: {type: Acme::Rocket, properties: {fuel: {kind: x}}}}", "not-supported", (2, 63)),
        ("resources: {a: {type: Acme::Rocket}}\noutputs: {o: {value: {get_attr: [a, height]}}}",
         "unsupported-attribute", (3, 37)),
        ("outputs: {o: {value: {get_file: x.sh}}}", "missing-file", (2, 33)),
        ("parameters: {p: {type: string}}", "missing-parameter", (2, 14)),
    ],
)  # fmt: skip
def test_what_only_up_needs_is_a_warning(text: str, code: str, place: tuple[int, int]) -> None:
    source = Source("t.yaml", {"t.yaml": HEAD + text})
    (found,) = check_source(source, kinds=KINDS)
    assert (found.severity, found.code, (found.line, found.column)) == ("warning", code, place)
    with pytest.raises(DocumentError):
        compile_source(source, project="p", stack="s", stack_id="i", kinds=KINDS)


def test_why_a_property_is_refused_is_told() -> None:
    text = HEAD + "resources: {a: {type: Acme::Rocket, properties: {fuel: {kind: x}}}}"
    (found,) = check_source(Source("t.yaml", {"t.yaml": text}), kinds=KINDS)
    assert found.message == 'resource "a": property "fuel.kind" is refused: it burns'


def test_types_of_one_family_are_not_taken_for_each_other() -> None:
    text = HEAD + "resources: {a: {type: Acme::Pocket}, b: {type: Acme::Secret}}"
    found = check_source(Source("t.yaml", {"t.yaml": text}), kinds=KINDS)
    assert [problem.hint for problem in found] == ['did you mean "Acme::Rocket"?', ""]
