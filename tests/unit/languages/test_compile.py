"""compile_source, check_source, needed_files: what no case file shows."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest

from terrace.errors import DocumentError
from terrace.kinds import TYPES
from terrace.languages import Compiled, check_source, compile_source, needed_files
from terrace.model.graph import Graph
from terrace.model.problem import Problem, render
from terrace.model.stack import Source
from terrace.model.value import Secret

HEAD = "heat_template_version: 2018-08-31\n"


def compiled(template: str, **more: Any) -> Compiled:
    files = {"t.yaml": template} | more.pop("files", {})
    source = Source("t.yaml", files, **more)
    return compile_source(source, project="p", stack="s", stack_id="i", kinds=TYPES)


def problems(template: str, **more: Any) -> tuple[Problem, ...]:
    with pytest.raises(DocumentError) as caught:
        compiled(template, **more)
    return caught.value.problems


def test_the_template_itself_is_not_there() -> None:
    with pytest.raises(DocumentError) as caught:
        compile_source(Source("gone.yaml"), project="p", stack="s", stack_id="i", kinds=TYPES)
    assert [problem.code for problem in caught.value.problems] == ["missing-file"]


def test_a_template_too_large_is_refused_at_once() -> None:
    start = time.process_time()
    found = problems(HEAD + "#" * 100_000_000)
    assert [problem.code for problem in found] == ["too-large"]
    assert time.process_time() - start < 5


def test_sealed_files_and_values_are_opened() -> None:
    template = HEAD + "parameters: {a: {type: string, hidden: true}, b: {type: number}}\n"
    result = compiled(
        template,
        files={"e.yaml": Secret("parameters: {b: 2}")},
        environments=("e.yaml",),
        parameters={"a": Secret("x")},
    )
    assert result.parameters == {"a": Secret("x"), "b": 2}


def test_compiling_again_with_what_came_out_gives_the_same() -> None:
    template = HEAD + (
        "parameters: {a: {type: string, hidden: true}, l: {type: comma_delimited_list}, n: {type: number}}\n"
        "outputs: {o: {value: [{get_param: a}, {get_param: l}, {get_param: n}]}}\n"
    )
    first = compiled(template, parameters={"a": "x", "l": "a, b", "n": "7"})
    second = compiled(template, parameters=first.parameters)
    assert (second.graph, second.parameters) == (first.graph, first.parameters)


def test_hidden_values_appear_nowhere() -> None:
    template = (
        HEAD
        + """
parameters:
  pw: {type: string, hidden: true}
  list: {type: comma_delimited_list, hidden: true}
  tree: {type: json, hidden: true, default: {key: deep-value}}
resources:
  a: {type: "Terrace::Delay", properties: {minimum: {get_param: pw}}}
  b: {type: "Terrace::Delay", properties: {minimum: {str_replace: {template: "x", params: {x: {get_param: pw}}}}}}
  c: {type: "OS::Heat::RandomString", properties: {length: 1, length: {get_param: [tree, key]}}}
"""
    )
    environment = (
        "parameters:\n  pw: hunter2222\n  list: [alpha-one, 'beta-two']\n  list: hunter2222\n  x: [\n"
    )
    found = problems(template, files={"e.yaml": environment}, environments=("e.yaml",))
    told = "".join(render(problem) for problem in found) + repr(found)
    assert not [text for text in ("hunter2222", "deep-value", "alpha-one", "beta-two") if text in told]
    assert len(found) >= 3


def test_a_line_that_cannot_be_read_does_not_show_a_hidden_value() -> None:
    template = HEAD + "parameters: {pw: {type: string, hidden: true}}\n"
    found = problems(
        template, files={"e.yaml": "parameters:\n  pw: hunter2222: x\n"}, environments=("e.yaml",)
    )
    assert "not-yaml" in [problem.code for problem in found]
    assert "hunter2222" not in repr(found)


def test_a_large_value_used_often_runs_out_of_fuel() -> None:
    items = ", ".join("x" for _ in range(100_000))
    uses = "\n".join(f"  o{n}: {{value: {{get_param: big}}}}" for n in range(1000))
    found = problems(f"{HEAD}parameters: {{big: {{type: json, default: [{items}]}}}}\noutputs:\n{uses}\n")
    assert [problem.code for problem in found] == ["limit-reached"]


def test_quadratic_functions_run_out_of_fuel() -> None:
    uses = "\n".join(
        f"  o{n}: {{value: {{str_replace: {{template: {{get_file: big}}, params: {{a: bbbbbbbb}}}}}}}}"
        for n in range(500)
    )
    start = time.process_time()
    found = problems(f"{HEAD}outputs:\n{uses}\n", files={"big": "a" * 200_000})
    assert [problem.code for problem in found] == ["limit-reached"]
    assert time.process_time() - start < 20


def test_thousands_of_mistakes_take_no_longer_than_few() -> None:
    lines = "\n".join(f'  r{n}: {{type: "Terrace::Valu{n}", depends_on: q{n}}}' for n in range(5000))
    start = time.process_time()
    found = problems(f"{HEAD}resources:\n{lines}\n")
    assert len(found) == 1000
    assert time.process_time() - start < 10


def test_many_circles_are_told_a_few_at_a_time() -> None:
    lines = "\n".join(f'  r{n}: {{type: "Terrace::Value", depends_on: r{n ^ 1}}}' for n in range(200))
    found = problems(f"{HEAD}resources:\n{lines}\n")
    assert {problem.code for problem in found} == {"circular-reference"}
    assert 1 <= len(found) <= 20


def test_templates_may_not_nest_without_end() -> None:
    files = {f"n{n}.yaml": f"{HEAD}resources: {{a: {{type: n{n + 1}.yaml}}}}" for n in range(30)}
    found = problems(HEAD + "resources: {a: {type: n0.yaml}}", files=files)
    assert [problem.code for problem in found] == ["circular-templates"]


def test_a_long_chain_of_references_is_no_circle() -> None:
    lines = "\n".join(f'  r{n}: {{type: "Terrace::Value", depends_on: [r{n - 1}]}}' for n in range(1, 3000))
    graph = compiled(f'{HEAD}resources:\n  r0: {{type: "Terrace::Value"}}\n{lines}\n').graph
    assert len(graph.nodes) == 3000


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    problems("a: [")
    assert gc.isenabled()
    gc.disable()
    try:
        compiled(HEAD)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_checking_takes_missing_files_parameters_and_foreign_types_for_warnings() -> None:
    template = (
        HEAD
        + """
parameters: {size: {type: number}}
resources:
  a: {type: "OS::Magnum::Cluster", properties: {x: {get_param: size}, y: {get_file: gone.sh}}}
  b: {type: gone.yaml}
  c: {type: "OS::Heat::RandomString", properties: {length: {get_param: size}}}
outputs: {o: {value: {get_attr: [a, anything]}}}
"""
    )
    source = Source("t.yaml", {"t.yaml": template}, ("gone_env.yaml",))
    found = check_source(source, kinds=TYPES)
    assert {problem.severity for problem in found} == {"warning"}
    assert sorted(problem.code for problem in found) == [
        "missing-file",
        "missing-file",
        "missing-file",
        "missing-parameter",
        "unsupported-type",
    ]
    assert check_source(Source("t.yaml", {"t.yaml": HEAD}), kinds=TYPES) == ()


def test_checking_still_finds_mistakes() -> None:
    template = HEAD + 'resources: {a: {type: "Terrace::Valu"}}\noutputs: {o: {valu: 1}}\n'
    found = check_source(Source("t.yaml", {"t.yaml": template}), kinds=TYPES)
    assert {problem.severity for problem in found} == {"error"}


def test_files_that_a_template_needs() -> None:
    template = (
        HEAD
        + """
resources:
  a: {type: lib/db.yaml, properties: {x: {get_file: ../up.sh}}}
  b:
    type: OS::Heat::ResourceGroup
    properties:
      resource_def: {type: member.template, properties: {y: {get_file: "file:///etc/motd"}}}
  c: {type: "OS::Nova::Server", properties: {user_data: {get_file: "http://example.com/x"}}}
outputs: {o: {value: {str_replace: {template: {get_file: lib/t.sh}, params: {}}}}}
"""
    )
    found = needed_files(template, "site/t.yaml")
    assert found == ["site/lib/db.yaml", "up.sh", "site/member.template", "/etc/motd", "site/lib/t.sh"]


def test_files_that_an_environment_needs() -> None:
    text = 'resource_registry: {"My::A": a.yaml, "My::B": "OS::Nova::Server", "My::C": [x]}'
    assert needed_files(text, "/env/e.yaml") == ["/env/a.yaml"]


@pytest.mark.parametrize(
    "text", ["", "a: [", "- x", "resources: [a]", "resource_registry: x", "a" * 5_000_000]
)
def test_documents_with_mistakes_need_what_can_be_seen(text: str) -> None:
    assert needed_files(text, "t.yaml") == []


def test_names_of_files_are_those_that_compiling_looks_up() -> None:
    files = {
        "site/t.yaml": HEAD + "resources: {a: {type: lib/n.yaml}}",
        "site/lib/n.yaml": HEAD + "outputs: {o: {value: {get_file: ../../x.sh}}}",
        "x.sh": "go",
    }
    names = ["site/t.yaml"]
    for name in names:
        names += needed_files(files[name], name)
    assert set(names) == set(files)
    source = Source("site/t.yaml", files)
    graph = compile_source(source, project="p", stack="s", stack_id="i", kinds=TYPES).graph
    assert graph.blueprints["site/lib/n.yaml"].outputs["o"].value == "go"


def test_the_provider_goes_to_the_node() -> None:
    template = HEAD + 'resources: {a: {type: "Terrace::Machine", properties: {image: x, provider: far}}}'
    (node,) = compiled(template).graph.nodes
    assert (node.provider, "provider" in node.properties) == ("far", False)


def test_an_empty_template_is_an_empty_graph() -> None:
    assert compiled(HEAD) == Compiled(Graph(), {})
