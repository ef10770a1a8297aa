"""HOT: what no case file shows."""

from __future__ import annotations

import time
from typing import Any

import pytest

from terrace.errors import DocumentError
from terrace.kinds import TYPES
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.languages import Compiled, check_source, compile_source, needed_files
from terrace.languages.hot.functions.table import FUNCTIONS, Where, vocabulary
from terrace.languages.hot.versions import VERSIONS
from terrace.model.stack import Source

HEAD = "heat_template_version: 2021-04-16\n"
ROLLING = TypeEntry(
    "OS::Heat::Rolling",
    "Value",
    {
        "value": Property(Type.ANY),
        "update_policy": Property(
            Type.MAP,
            properties={"rolling_update": Property(Type.MAP, properties={"pause": Property(Type.INTEGER)})},
        ),
    },
    {},
)


def compiled(template: str, **files: str) -> Compiled:
    source = Source("t.yaml", {"t.yaml": HEAD + template, **files})
    kinds = {**TYPES, ROLLING.type: ROLLING}
    return compile_source(source, project="p", stack="s", stack_id="i", kinds=kinds)


def test_an_update_policy_is_a_property_of_a_type_that_takes_one() -> None:
    graph = compiled(
        "resources:\n"
        "  v: {type: 'Terrace::Value', properties: {value: 1}}\n"
        "  a: {type: 'OS::Heat::Rolling', update_policy: {rolling_update: {pause: 5}}, properties: {value: 1}}\n"
    ).graph
    assert graph.nodes[1].properties == {"value": 1, "update_policy": {"rolling_update": {"pause": 5}}}


def test_and_is_checked_where_it_stands() -> None:
    with pytest.raises(DocumentError) as caught:
        compiled("resources: {a: {type: 'OS::Heat::Rolling', update_policy: {rolling_update: {paws: 5}}}}")
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.column) == ("unknown-property", 2, 77)


@pytest.mark.parametrize("entry", FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_table_says_when_a_function_is_one(entry: Any) -> None:
    for version in VERSIONS:
        words = vocabulary(version)
        known = {*words.values, *words.conditions}
        assert (entry.name in known) is (entry.since <= version <= (entry.until or version))
        assert (entry.name in words.later) is (version < entry.since)
        assert (entry.name in words.retired) is bool(entry.until and version > entry.until)
    assert entry.places
    assert entry.line.endswith(".")
    assert (Where.VALUES in entry.places) is (entry.name in vocabulary(entry.since).values)


def checked(template: str, **files: str) -> list[tuple[str, str]]:
    source = Source("t.yaml", {"t.yaml": HEAD + template, **files})
    return [(problem.severity, problem.code) for problem in check_source(source, kinds=TYPES)]


def test_conditions_on_parameters_without_a_value_are_left_open_and_both_branches_looked_at() -> None:
    template = (
        "parameters: {big: {type: boolean}}\n"
        "conditions: {big: {get_param: big}, small: {not: big}, never: {and: [big, false]}}\n"
        "resources:\n"
        "  a: {type: 'Terrace::Value', condition: big, properties: {value: {if: [small, 1, {get_param: %s}]}}}\n"
        "  b: {type: 'Terrace::Value', condition: never, properties: {value: {get_param: nobody}}}\n"
        "outputs: {o: {value: [{get_attr: [a, value]}, {if: [small, 2]}], condition: small}}\n"
    )
    assert checked(template % "big") == [("warning", "missing-parameter")]
    assert ("error", "unknown-parameter") in checked(template % "bigger")


def test_an_attribute_that_terrace_does_not_give_is_a_warning_when_only_checked() -> None:
    server = "resources: {a: {type: 'OS::Heat::RandomString'}}\noutputs: {o: {value: {get_attr: [a, %s]}}}\n"
    assert checked(server % "console_urls") == [("warning", "unsupported-attribute")]
    assert checked(server % "valeu") == [("error", "unknown-attribute")]
    own = server.replace("OS::Heat::RandomString", "Terrace::Delay")
    assert checked(own % "console_urls") == [("error", "unknown-attribute")]
    with pytest.raises(DocumentError):
        compiled(server % "console_urls")


def test_files_of_the_registry_are_sent_along() -> None:
    text = (
        "resource_registry:\n"
        "  base_url: lib\n"
        "  My::T: a.yaml\n"
        "  resources: {web: {'My::T': b.yaml, inner: {'My::U': c.template}}, hooks: {hooks: pre-create}}\n"
        "  Other: file:///abs/d.yaml\n"
    )
    assert needed_files(text, "env/e.yaml") == [
        "env/lib/a.yaml",
        "env/lib/b.yaml",
        "env/lib/c.template",
        "/abs/d.yaml",
    ]


def test_conditions_that_name_each_other_over_and_over_stop() -> None:
    lines = ["  c0: {get_param: big}"]
    lines += [f"  c{number}: {{and: [c{number - 1}, c{number - 1}]}}" for number in range(1, 40)]
    inner = HEAD + "parameters: {big: {type: boolean}}\nconditions:\n" + "\n".join(lines) + "\n"
    with pytest.raises(DocumentError) as caught:
        compiled("resources: {n: {type: inner.yaml, properties: {big: true}}}", **{"inner.yaml": inner})
    assert {problem.code for problem in caught.value.problems} == {"limit-reached"}
    many = ["  c0: true", *(f"  c{number}: {{not: c{number - 1}}}" for number in range(1, 5000))]
    with pytest.raises(DocumentError) as caught:
        compiled("conditions:\n" + "\n".join(reversed(many)) + "\n")
    assert {problem.code for problem in caught.value.problems} == {"limit-reached"}


def nested(depth: int, inner: str, around: str) -> str:
    for _ in range(depth):
        inner = around % inner
    return inner


LETTERS = ", ".join("abcdefghijklmnopqrstuvwxyz")
HOSTILE = {
    "repeat": f"{{repeat: {{for_each: {{a: [{LETTERS}], b: [{LETTERS}], c: [{LETTERS}], d: [{LETTERS}], "
    f"e: [{LETTERS}]}}, template: abcde}}}}",
    "repeat in repeat": nested(12, "[x, y]", f"{{repeat: {{for_each: {{q: [{LETTERS}]}}, template: %s}}}}"),
    "str_replace": f"{{str_replace: {{template: {'x' * 50_000}, params: {{x: {'y' * 50_000}}}}}}}",
    "str_replace in str_replace": nested(
        20, "xxxxxxxx", "{str_replace: {template: %s, params: {x: xxxxxxxx}}}"
    ),
    "list_concat": nested(
        30, "[x]", "{repeat: {for_each: {q: [{list_concat: [%s]}, {list_concat: [[z]]}]}, template: q}}"
    ),
    "map_merge": nested(25, "{k: v}", "{repeat: {for_each: {q: [a, b, c, d, e, f, g]}, template: %s}}"),
    "yaql": "{yaql: {expression: 'range(200).select(range(200).select(range(200).select(1)))', data: {}}}",
    "yaql again and again": "["
    + ", ".join(["{yaql: {expression: 'range(200).select(range(40)).len()', data: {}}}"] * 2000)
    + "]",
    "deep": nested(2000, "1", "{not: %s}"),
    "deep lists": nested(2000, "1", "[%s]"),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_stops(value: str) -> None:
    begun = time.process_time()
    with pytest.raises(DocumentError) as caught:
        compiled(f"outputs: {{o: {{value: {value}}}}}\n")
    assert {problem.code for problem in caught.value.problems} <= {"limit-reached", "too-deep"}
    assert time.process_time() - begun < 15


def test_deep_values_that_are_allowed_are_no_trouble() -> None:
    result = compiled(
        f"outputs: {{o: {{value: {nested(45, '1', '{if: [true, %s, 0]}')}}}}}\n".replace("{{o", "{o")
    )
    assert result.graph.outputs["o"].value == 1
