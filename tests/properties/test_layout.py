"""However a document is laid out: laying it out says the same, keeps every comment, and is final."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.languages.test_corpus import ENVIRONMENTS, TEMPLATES, source_of

from terrace.errors import DocumentError
from terrace.kinds import TYPES
from terrace.languages import compile_source
from terrace.languages.document import LIMITS
from terrace.languages.editor.layout import layout
from terrace.languages.report import Report
from terrace.languages.tree import parse
from terrace.model.graph import Node
from terrace.model.problem import Place
from terrace.model.stack import Source

OWN = sorted((Path(__file__).parents[1] / "cases" / "heat").rglob("*.yaml"))
REAL = [file.read_text() for file in (*TEMPLATES, *ENVIRONMENTS, *OWN)]
COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def tree(text: str) -> Any:
    document = parse(text, "t.yaml", Report(), LIMITS)
    return None if document is None else document.root


def check(text: str) -> None:
    try:
        result = layout(text, "t.yaml")
    except DocumentError:
        return
    assert tree(result) == tree(text)
    assert sorted(map(str.strip, COMMENT.findall(result))) == sorted(map(str.strip, COMMENT.findall(text)))
    assert layout(result, "t.yaml") == result


NAMES = st.sampled_from(["a", "b", "c", "resources", "parameters", "outputs", "heat_template_version"])
SCALARS = st.sampled_from(
    [
        "x",
        "two words",
        "1",
        "'q'",
        "",
        "a: b",
        "# no comment",
        "line one\nline two\n",
        "  in\n\nout",
        "end\n\n",
        "x " * 60,
    ]
)
TREES = st.recursive(
    SCALARS | st.integers(0, 9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
STYLES = st.sampled_from([None, "'", '"', "|", ">"])


@given(
    st.dictionaries(NAMES, TREES, min_size=1, max_size=4),
    st.integers(2, 6),
    st.sampled_from([False, None]),
    STYLES,
)
@settings(max_examples=300, deadline=None)
def test_any_tree_in_any_style(
    root: dict[str, Any], indent: int, flow: bool | None, style: str | None
) -> None:
    text = yaml.safe_dump(
        root, indent=indent, default_flow_style=flow, default_style=style, width=40, sort_keys=False
    )
    check(text)


ROUGH = st.sampled_from(["", "   ", "# c", "  # c", "     # c", "        # c", "\t"])


@given(st.sampled_from(REAL), st.lists(st.tuples(st.integers(0, 400), ROUGH), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_real_documents_with_lines_put_in_anywhere(text: str, extra: list[tuple[int, str]]) -> None:
    lines = text.split("\n")
    for place, line in extra:
        lines.insert(place % (len(lines) + 1), line)
    rough = "\n".join(lines)
    if tree(rough) is not None:
        check(rough)


@given(st.sampled_from(REAL), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_real_documents_further_in(text: str, times: int) -> None:
    rough = re.sub(r"^ +", lambda found: found[0] * times, text, flags=re.MULTILINE)
    if tree(rough) is not None:
        check(rough)


def without_places(nodes: tuple[Node, ...]) -> list[Node]:
    return [msgspec.structs.replace(node, place=Place()) for node in sorted(nodes, key=lambda one: one.path)]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_a_template_compiles_to_the_same(file: Path) -> None:
    """The graph, or the mistakes: but for their places nothing differs."""

    def outcome(source: Source) -> Any:
        try:
            graph = compile_source(source, project="p", stack="s", stack_id="i", kinds=TYPES).graph
        except DocumentError as error:
            return sorted((one.code, one.message) for one in error.problems)
        return without_places(graph.nodes), graph.outputs

    source = source_of(file)
    files = {
        name: layout(text, name) if name.endswith(".yaml") else text for name, text in source.files.items()
    }
    assert outcome(msgspec.structs.replace(source, files=files)) == outcome(source)
