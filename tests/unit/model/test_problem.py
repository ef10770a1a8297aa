"""A mistake as people read it."""

from __future__ import annotations

from terrace.model.problem import Problem, render


def test_with_the_line_and_the_spot_underlined() -> None:
    problem = Problem(
        'there is no image "debain-12"',
        file="stack.yaml",
        line=14,
        column=14,
        source="      image: debain-12",
        length=9,
        hint='did you mean "debian-12"?',
    )
    assert render(problem).splitlines() == [
        'error: there is no image "debain-12"',
        "  --> stack.yaml:14:14",
        "   |",
        "14 |       image: debain-12",
        '   |              ^^^^^^^^^ did you mean "debian-12"?',
    ]


def test_other_hints_stand_below() -> None:
    problem = Problem("wrong", file="t.yaml", line=7, column=1, source="a: b", length=1, hint="do this")
    assert render(problem).splitlines() == [
        "error: wrong",
        " --> t.yaml:7:1",
        "  |",
        "7 | a: b",
        "  | ^",
        " help: do this",
    ]


def test_without_a_line() -> None:
    assert render(Problem("gone", severity="warning", hint="look")) == "warning: gone\n help: look"
    assert render(Problem("gone", file="e.yaml")) == "error: gone\n --> e.yaml"


def test_a_spot_beyond_the_end_of_the_line() -> None:
    lines = render(Problem("x", file="t", line=1, column=9, source="ab", length=5)).splitlines()
    assert lines[-1] == "  |         ^"


def test_tabs_keep_the_spot_in_place() -> None:
    lines = render(Problem("x", file="t", line=1, column=3, source="\ta: b", length=1)).splitlines()
    assert lines[-1] == "  | \t ^"


def test_nothing_reaches_the_terminal_that_commands_it() -> None:
    told = render(Problem("a\x1b[31m", file="t\n", line=1, column=1, source="\x1b]0;x\x07", hint="\r"))
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "\r" not in told
