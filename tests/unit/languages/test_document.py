"""Text to tree: what PyYAML makes of it, with places, within limits."""

from __future__ import annotations

import time

import pytest
import yaml

from terrace.languages.document import LIMITS, Document, Limits
from terrace.languages.report import Report
from terrace.languages.tree import parse
from terrace.model.problem import Place, Problem


def read(text: str, limits: Limits = LIMITS) -> tuple[Document | None, tuple[Problem, ...]]:
    report = Report()
    return parse(text, "t.yaml", report, limits), report.problems()


def tree(text: str) -> Document:
    document, problems = read(text)
    assert document is not None
    assert problems == ()
    return document


def codes(text: str, limits: Limits = LIMITS) -> list[str]:
    return [problem.code for problem in read(text, limits)[1]]


def test_places_of_keys_values_and_items() -> None:
    document = tree("a:\n  - x\n  - {b: 1,\n     c: [2]}\n")
    a = document.root["a"]
    assert document.place(document.key(document.root, "a")) == Place("t.yaml", 1, 1)
    assert document.place(document.value(document.root, "a")) == Place("t.yaml", 2, 3)
    assert document.place(document.value(a, 1)) == Place("t.yaml", 3, 5)
    assert document.place(document.key(a[1], "c")) == Place("t.yaml", 4, 6)
    assert document.place(document.value(a[1], "c")) == Place("t.yaml", 4, 9)
    assert document.place(document.start(a[1]["c"])) == Place("t.yaml", 4, 9)


def test_deepest_goes_as_far_as_the_document_does() -> None:
    document = tree("a: {b: [x, {c: 1}]}\n")
    assert document.deepest(document.root, ("a", "b", 1, "c")).column == 15
    assert document.deepest(document.root, ("a", "b", 1, "c"), key=True).column == 12
    assert document.deepest(document.root, ("a", "b", 7, "c")).column == 7
    assert document.deepest(document.root, ("z",)).column == 0


@pytest.mark.parametrize(
    ("line", "length"),
    [
        ("a: word # note", 4),
        ("a: 'it''s'", 7),
        ('a: "b \\" c"', 8),
        ("a: [x]", 1),
        ("a: http://x/y", 10),
        ("a: é€x", 3),
    ],
)
def test_how_much_is_underlined(line: str, length: int) -> None:
    document = tree(line)
    assert document.length(document.value(document.root, "a")) == length


def test_lines_are_counted_as_the_parser_counts_them() -> None:
    document = tree("a: 1\r\nb: 2\u2028c: 3\n")
    mark = document.key(document.root, "c")
    assert document.line(mark) == "c: 3"


def test_places_of_what_was_merged_are_where_it_was_written() -> None:
    document = tree("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n")
    use = document.root["use"]
    assert use == {"y": 3, "x": 1}
    assert document.key(use, "x").line == 0
    assert document.key(use, "y").line == 3


def test_an_anchor_on_a_key_and_an_alias_as_a_key() -> None:
    assert tree("{&k 80: 1, b: *k}").root == {"80": 1, "b": "80"}
    assert tree("- &k name\n- *k : 1\n").root == ["name", {"name": 1}]


def test_a_document_too_large_is_refused_at_once() -> None:
    text = "a" * 100_000_000
    start = time.process_time()
    document, problems = read(text)
    assert time.process_time() - start < 5
    assert document is None
    assert [problem.code for problem in problems] == ["too-large"]
    assert problems[0].source == ""


def test_size_is_counted_in_bytes() -> None:
    limits = Limits(size=10)
    assert codes("a: 123456", limits) == []
    assert codes("a: €€€", limits) == ["too-large"]


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert codes("\n".join(lines)) == ["too-many-nodes"]


def test_a_bomb_of_merges_is_refused() -> None:
    big = "big: &b {" + ", ".join(f"k{n}: 1" for n in range(2000)) + "}\n"
    assert codes(big + "\n".join(f"m{n}: {{<<: *b}}" for n in range(2000))) == ["too-many-nodes"]


def test_more_values_than_allowed() -> None:
    assert codes("[" + "a," * 50 + "]", Limits(nodes=20)) == ["too-many-nodes"]
    assert codes("{" + ",".join(f"a{n}: " for n in range(50)) + "}", Limits(nodes=20)) == ["too-many-nodes"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(opening: str) -> None:
    found = codes(opening * 100_000)
    assert found[0] in ("too-deep", "not-yaml")
    assert len(found) == 1


def test_a_thousand_mistakes_are_enough() -> None:
    document, problems = read("\n".join(f"a: {n}" for n in range(5000)))
    assert document is not None
    assert len(problems) == 1000


def test_long_digits_are_text_and_cost_nothing() -> None:
    digits = "1" + ":59" * 1_000_000
    start = time.process_time()
    assert tree(f"a: {digits}\n").root == {"a": digits}
    assert time.process_time() - start < 2


@pytest.mark.parametrize("text", ["0b_", "0x_", "1" * 60, "-9999999999999999999"])
def test_numbers_that_are_none(text: str) -> None:
    assert codes(f"a: {text}") == ["bad-number"]


def test_text_that_no_encoding_knows() -> None:
    assert codes("a: 1\nb: \ud800") == ["not-yaml"]


def test_the_tree_is_what_pyyaml_makes_of_it() -> None:
    text = """
a: [1, 1.5, ~, yes, No, 0o7, 07, 0x1F, 1_0, .5, 1e5, 1.5e+3, '1', "2", "", '']
b:
  c: |
    block
     text
  d: >-
    folded
    text
  e: plain with spaces
g: &x {h: 1}
i: *x
j:
- - nested
  - lists
- k: l
"""
    assert tree(text).root == yaml.safe_load(text)
