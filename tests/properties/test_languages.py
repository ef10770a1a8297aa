"""What holds for every document: keys may come in any order, what was worked out stays as it is, hostile
texts stop."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from terrace.engine.expression import evaluate, reveal
from terrace.engine.stack.read import step_into
from terrace.errors import DocumentError, SpecError
from terrace.kinds import TYPES
from terrace.kinds.rules.choices import chosen
from terrace.languages import compile_source, needed_files
from terrace.languages.document import LIMITS
from terrace.languages.report import Report
from terrace.languages.tree import parse
from terrace.model.graph import Blueprint, Graph
from terrace.model.stack import Source
from terrace.model.value import UNKNOWN, Secret, holds

OUTER = "heat_template_version: 2021-04-16\nresources: {n: {type: t.yaml}}\n"

NAMES = st.sampled_from(["a", "b", "c", "d", "web", "db"])
WORDS = st.text("abc$ {}:-\n", max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | WORDS


CONDITIONS = st.recursive(
    st.booleans() | st.sampled_from(["yes", "no", "large", "small"]).map(lambda name: f"is_{name}"),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"and": st.lists(inner, min_size=2, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, min_size=2, max_size=3)}),
        st.fixed_dictionaries({"equals": st.tuples(st.just({"get_param": "text"}), WORDS).map(list)}),
    ),
    max_leaves=4,
)


def references() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.fixed_dictionaries({"get_attr": NAMES.map(lambda name: [name, "value"])}),
        st.fixed_dictionaries({"get_resource": NAMES}),
    )


def functions(inner: st.SearchStrategy[Any], *, resources: bool = True) -> st.SearchStrategy[Any]:
    texts = st.lists(WORDS, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"get_param": st.sampled_from(["text", "secret"])}),
        st.fixed_dictionaries(
            {"get_param": st.tuples(st.just("tree"), st.sampled_from(["x", "y", 0, "1"])).map(list)}
        ),
        *([references()] if resources else []),
        st.fixed_dictionaries({"if": st.tuples(CONDITIONS, inner, inner).map(list)}),
        st.fixed_dictionaries({"if": st.tuples(CONDITIONS, inner).map(list)}),
        st.fixed_dictionaries({"list_concat": st.lists(st.none() | texts, max_size=3)}),
        st.fixed_dictionaries({"list_concat_unique": st.lists(texts, max_size=3)}),
        st.fixed_dictionaries({"filter": st.tuples(texts, texts).map(list)}),
        st.fixed_dictionaries({"contains": st.tuples(WORDS, texts).map(list)}),
        st.fixed_dictionaries({"map_merge": st.lists(st.dictionaries(NAMES, inner, max_size=2), max_size=3)}),
        st.fixed_dictionaries({"str_split": st.tuples(st.sampled_from(["a", ":"]), WORDS).map(list)}),
        st.fixed_dictionaries({"digest": st.tuples(st.just("md5"), WORDS).map(list)}),
        st.fixed_dictionaries(
            {
                "repeat": st.fixed_dictionaries(
                    {"template": inner, "for_each": st.fixed_dictionaries({"a": texts})}
                )
            }
        ),
        st.fixed_dictionaries(
            {
                "yaql": st.just(
                    {"expression": "$.data.x.where($)", "data": {"x": {"get_param": ["tree", "x"]}}}
                )
            }
        ),
        st.fixed_dictionaries({"list_join": st.tuples(WORDS, texts, st.none() | texts).map(list)}),
        st.fixed_dictionaries(
            {
                "str_replace": st.fixed_dictionaries(
                    {
                        "template": WORDS,
                        "params": st.dictionaries(st.sampled_from(["a", "ab", "$b"]), inner, max_size=3),
                    }
                )
            }
        ),
    )


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3) | functions(inner),
    max_leaves=8,
)
RESOURCES = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {"type": st.just("Terrace::Value"), "properties": st.fixed_dictionaries({"value": VALUES})},
        optional={
            "depends_on": st.lists(NAMES, max_size=2),
            "metadata": st.dictionaries(NAMES, VALUES, max_size=2),
            "condition": CONDITIONS,
        },
    ),
    max_size=6,
)
PARAMETERS = {
    "text": {"type": "string", "default": "t"},
    "secret": {"type": "string", "default": "s3cret", "hidden": True},
    "tree": {"type": "json", "default": {"x": [1, 2], "y": {"z": "w"}}},
}
SECTION = {
    "is_yes": True,
    "is_no": {"not": "is_yes"},
    "is_large": {"equals": [{"get_param": "text"}, "t"]},
    "is_small": {"and": ["is_no", {"not": "is_large"}]},
}
TEMPLATES = st.fixed_dictionaries(
    {
        "heat_template_version": st.just("2021-04-16"),
        "parameters": st.just(PARAMETERS),
        "conditions": st.just(SECTION),
        "resources": RESOURCES,
        "outputs": st.dictionaries(NAMES, st.fixed_dictionaries({"value": VALUES}), max_size=3),
    }
)


def outcome(template: Any, text: str = "") -> Any:
    """What compiling gives, without places and order: nodes and outputs, or the mistakes."""
    source = Source("t.yaml", {"t.yaml": text or json.dumps(template)})
    try:
        graph = compile_source(source, project="p", stack="s", stack_id="i", kinds=TYPES).graph
    except DocumentError as error:
        return sorted(
            {(problem.code, problem.message) for problem in error.problems if "circular" not in problem.code}
        )
    return plain(graph)


def plain(graph: Graph) -> Any:
    nodes = {node.path: (node.kind, node.properties, set(node.edges), node.metadata) for node in graph.nodes}
    return nodes, graph.outputs


def shuffled(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(TEMPLATES, st.data())
def test_the_order_of_keys_never_matters(template: Any, data: Any) -> None:
    assert outcome(shuffled(template, data.draw)) == outcome(template)


@settings(max_examples=60, deadline=None)
@given(TEMPLATES)
def test_yaml_and_json_mean_the_same(template: Any) -> None:
    assert outcome(template, yaml.safe_dump(template, sort_keys=False)) == outcome(template)


@settings(max_examples=60, deadline=None)
@given(TEMPLATES)
def test_what_is_worked_out_is_not_worked_out_again(template: Any) -> None:
    template["resources"] = {}
    result = outcome(template)
    if isinstance(result, tuple):
        outputs = {name: output.value for name, output in result[1].items()}
        assert evaluate(outputs, lambda ref: ref, lambda args: args) == outputs


LATE_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES, inner, max_size=3)
        | functions(inner, resources=False)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(LATE_VALUES)
def test_what_is_worked_out_later_is_the_same(value: Any) -> None:
    """A template by itself is worked out at once, inside another only when its parameters are known."""
    template = {
        "heat_template_version": "2021-04-16",
        "parameters": PARAMETERS,
        "conditions": SECTION,
        "outputs": {"o": {"value": value}},
    }
    early = outcome(template)
    files = {"t.yaml": json.dumps(template), "outer.yaml": OUTER}
    source = Source("outer.yaml", files)
    try:
        graph = compile_source(source, project="p", stack="s", stack_id="i", kinds=TYPES).graph
    except DocumentError:
        assert isinstance(early, list)
        return
    blueprint = graph.blueprints["t.yaml"]
    inputs = blueprint.parameters

    def read(args: tuple[Any, ...]) -> Any:
        return step_into(inputs, args[0], args[1:])

    whole = blueprint.outputs["o"].value
    chosen_first = chosen(blueprint, inputs) if blueprint.choices else blueprint
    assert isinstance(chosen_first, Blueprint)
    for expression in (whole, chosen_first.outputs["o"].value):
        try:
            late = evaluate(expression, lambda ref: UNKNOWN, read)
        except SpecError:
            assert isinstance(early, list)
            continue
        if isinstance(early, tuple):
            assert reveal(late) == reveal(early[1]["o"].value)
            assert holds(late, Secret) or not holds(early[1]["o"].value, Secret)


@settings(max_examples=150, deadline=None)
@given(st.text("a1 \t\n-:,[]{}&*!|>'\"%@`#?<=~.$\\é\x00\x85", max_size=60))
def test_no_text_is_a_stack_trace(text: str) -> None:
    for whole in (text, "heat_template_version: 2018-08-31\nresources:\n  " + text):
        outcome(None, whole or " ")
        needed_files(whole, "t.yaml")


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        SCALARS | st.floats(allow_nan=False), lambda i: st.lists(i) | st.dictionaries(WORDS, i), max_leaves=12
    )
)
def test_a_tree_is_what_was_written(value: Any) -> None:
    report = Report()
    document = parse(yaml.safe_dump(value), "t.yaml", report, LIMITS)
    assert report.problems() == ()
    assert document is not None
    assert document.root == value


ANYTHING = st.recursive(
    SCALARS
    | NAMES
    | st.sampled_from(["Terrace::Value", "OS::Heat::ResourceGroup", "x.yaml", "string", "number"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "value",
                    "get_param",
                    "get_attr",
                    "get_resource",
                    "get_file",
                    "str_replace",
                    "list_join",
                    "template",
                    "params",
                    "resource_def",
                    "count",
                    "depends_on",
                    "metadata",
                    "constraints",
                    "default",
                    "range",
                    "hidden",
                    "if",
                    "repeat",
                    "for_each",
                    "yaql",
                    "expression",
                    "map_merge",
                    "map_replace",
                    "make_url",
                    "condition",
                    "and",
                    "not",
                    "equals",
                    "external_id",
                    "update_policy",
                    "resource_facade",
                    "parameters",
                    "resources",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_shape_is_a_stack_trace(parameters: Any, resources: Any, outputs: Any) -> None:
    body = {"parameters": {"a": parameters}, "resources": {"b": resources}, "outputs": {"c": outputs}}
    outcome({"heat_template_version": "2021-04-16", **body, "conditions": {"a": outputs}})
    outcome({"heat_template_version": "2013-05-23", **body})
    outcome({"heat_template_version": "2021-04-16", "conditions": parameters, "resources": resources})


SHAPES = st.recursive(
    SCALARS | st.sampled_from(["Terrace::Value", "t.yaml", "x.yaml", "pre-create", "merge", "deep_merge"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "a",
                    "b",
                    "*",
                    "Terrace::*",
                    "Terrace::Value",
                    "resources",
                    "hooks",
                    "restricted_actions",
                    "base_url",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
SECTIONS = [
    "parameters",
    "parameter_defaults",
    "resource_registry",
    "parameter_merge_strategies",
    "moved",
    "event_sinks",
    "encrypted_param_names",
]
ENVIRONMENTS = st.dictionaries(st.sampled_from(SECTIONS), SHAPES, max_size=5)
WITH_ENVIRONMENTS = {
    "heat_template_version": "2021-04-16",
    "parameters": {
        "a": {"type": "json", "default": {}},
        "b": {"type": "comma_delimited_list", "default": ""},
    },
    "resources": {"r": {"type": "Terrace::Value", "properties": {"value": {"get_param": "a"}}}},
}


def under(*environments: Any) -> Any:
    """What compiling under environments gives, or the mistakes."""
    files = {f"{number}.yaml": json.dumps(one) for number, one in enumerate(environments)}
    source = Source("t.yaml", {"t.yaml": json.dumps(WITH_ENVIRONMENTS), **files}, tuple(files))
    try:
        compiled = compile_source(source, project="p", stack="s", stack_id="i", kinds=TYPES)
    except DocumentError as error:
        return sorted({(problem.code, problem.message) for problem in error.problems})
    return plain(compiled.graph), compiled.parameters, compiled.graph.moved


@settings(max_examples=150, deadline=None)
@given(ENVIRONMENTS, ENVIRONMENTS)
def test_no_shape_of_an_environment_is_a_stack_trace(one: Any, other: Any) -> None:
    under(one, other)
    needed_files(json.dumps(one), "env/e.yaml")


@settings(max_examples=60, deadline=None)
@given(ENVIRONMENTS, ENVIRONMENTS, st.data())
def test_the_order_of_keys_never_matters_in_environments(one: Any, other: Any, data: Any) -> None:
    assert under(shuffled(one, data.draw), shuffled(other, data.draw)) == under(one, other)


@settings(max_examples=60, deadline=None)
@given(ENVIRONMENTS)
def test_an_environment_given_again_changes_nothing(one: Any) -> None:
    one.pop("parameter_merge_strategies", None)
    assert under(one, one) == under(one)
