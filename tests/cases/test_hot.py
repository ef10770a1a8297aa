"""Runs tests/cases/hot/*.yaml: templates and what must come of them. A case needs no Python.

    - name: what it shows
      template: text of t.yaml            (or `files`, with `main` when the template is not t.yaml)
      environments: [e.yaml]              names of files, in order
      parameters: {name: value}           as given with the request
      problems:                           exactly these, in any order; `says` and `hint` are parts of the texts
        - {at: "t.yaml:3:5", code: unknown-type, says: Servr, hint: Server}
      warnings: [...]                     likewise
      never: [texts]                      that no problem may show
      nodes: {web: {kind: Machine, properties: {...}}}       only the fields that are named are compared
      outputs: {name: value}
      blueprints: {db.yaml: {nodes: ..., outputs: ..., parameters: ..., required: ..., hidden: ...}}
      values: {name: value}               of parameters
      operator: {site.yaml: text}         environments of the operator, and with `operators_files` what they name
      moved: {old path: new path}

Expressions are written {ref: [node, ...path]} and {call: [function, ...args]}, hidden values {secret: value}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from terrace.errors import DocumentError
from terrace.kinds import TYPES
from terrace.languages import as_operator, compile_source
from terrace.model.graph import Blueprint, Held, Node
from terrace.model.problem import Problem, render
from terrace.model.stack import Source
from terrace.model.value import Call, Ref, Secret

FOLDER = Path(__file__).parent / "hot"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


def plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return {"ref": [value.node, *map(plain, value.path)]}
    if isinstance(value, Call):
        return {"call": [value.function, *map(plain, value.args)]}
    if isinstance(value, Secret):
        return {"secret": value.reveal()}
    if isinstance(value, Held):
        return ["/".join(value.path), *value.hooks, *value.restricted]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def shown(node: Node, fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        value = getattr(node, field)
        if field == "edges":
            value = [edge.node for edge in value]
        elif field == "place":
            value = f"{value.file}:{value.line}:{value.column}"
        found[field] = plain(value)
    return found


def check_nodes(nodes: tuple[Node, ...], expected: dict[str, Any]) -> None:
    by_path = {node.path: node for node in nodes}
    assert set(by_path) == set(expected)
    assert {path: shown(by_path[path], fields) for path, fields in expected.items()} == expected


def check_blueprint(blueprint: Blueprint, expected: dict[str, Any]) -> None:
    for field, value in expected.items():
        if field == "nodes":
            check_nodes(blueprint.nodes, value)
        elif field == "outputs":
            assert {name: plain(output.value) for name, output in blueprint.outputs.items()} == value
        else:
            assert plain(getattr(blueprint, field)) == value


def check_problems(found: tuple[Problem, ...], expected: list[dict[str, str]]) -> None:
    left = list(found)
    told = "\n\n".join(render(problem) for problem in found)
    for wanted in expected:
        fits = [p for p in left if fit(p, wanted)]
        assert fits, f"no problem is {wanted}; there are:\n\n{told}"
        left.remove(fits[0])
    assert not left, "problems too many:\n\n" + "\n\n".join(render(problem) for problem in left)


def fit(problem: Problem, wanted: dict[str, str]) -> bool:
    at = f"{problem.file}:{problem.line}:{problem.column}"
    return (
        at == wanted.get("at", at)
        and problem.code == wanted.get("code", problem.code)
        and wanted.get("says", "") in problem.message
        and wanted.get("hint", "") in problem.hint
    )


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    files = case.get("files", {}) | ({"t.yaml": case["template"]} if "template" in case else {})
    environments = tuple(case.get("environments", ()))
    source = Source(case.get("main", "t.yaml"), files, environments, case.get("parameters", {}))
    below = case.get("operator", {})
    operator = as_operator({**below, **case.get("operators_files", {})}, below)
    try:
        compiled = compile_source(
            source, project="shop", stack="s", stack_id="id-1", kinds=TYPES, operator=operator
        )
    except DocumentError as error:
        check_problems(error.problems, case.get("problems", []))
        told = f"{error} {error.hint} {error.problems}"
        assert not [text for text in case.get("never", []) if text in told]
        return
    assert "problems" not in case, "no problem was found"
    check_problems(compiled.warnings, case.get("warnings", []))
    if "nodes" in case:
        check_nodes(compiled.graph.nodes, case["nodes"])
    if "moved" in case:
        assert compiled.graph.moved == case["moved"]
    if "outputs" in case:
        assert {name: plain(out.value) for name, out in compiled.graph.outputs.items()} == case["outputs"]
    if "values" in case:
        assert plain(compiled.parameters) == case["values"]
    for file, expected in case.get("blueprints", {}).items():
        check_blueprint(compiled.graph.blueprints[file], expected)
