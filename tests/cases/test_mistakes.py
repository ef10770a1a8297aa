"""Runs tests/cases/mistakes/*.yaml: documents with planted mistakes, each marked where it stands.

    - name: what kind of mistakes
      files: {t.yaml: ..., lib/part.yaml: ..., e.yaml: ...}     t.yaml is the template
      environments: [e.yaml]

In the documents a comment line marks a mistake in the line above it (marks stand below each other):

    image: debain-12
    #      ^ unknown-image: did you mean                        a caret under the column; a code; words that are told
    resurces: {}
    #@1 unknown-key                                             the column as a number, where no caret fits
    #   ^ warning missing-file: gone.sh                         something that stops nothing

`validate` must find exactly these.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from terrace.languages import check_source
from terrace.model.problem import Problem, render
from terrace.model.stack import Source

FOLDER = Path(__file__).parent / "mistakes"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]
MARK = re.compile(
    r"^\s*#(?:@(?P<column>\d+)|\s*\^) (?P<warning>warning )?(?P<code>[a-z-]+)(?:: (?P<says>.*))?$"
)


class Planted(NamedTuple):
    """A marked mistake."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    says: str


def planted(files: dict[str, str]) -> list[Planted]:
    """All that is marked."""
    found = []
    for file, text in files.items():
        target = 0
        for number, line in enumerate(text.splitlines(), 1):
            mark = MARK.match(line)
            if mark is None:
                target = number
                continue
            column = int(mark["column"] or line.index("^") + 1)
            severity = "warning" if mark["warning"] else "error"
            found.append(Planted(file, target, column, severity, mark["code"], mark["says"] or ""))
    return found


def fits(problem: Problem, mark: Planted) -> bool:
    """Whether a problem is the one that was marked."""
    where = (problem.file, problem.line, problem.column)
    told = (problem.severity, problem.code)
    said = f"{problem.message} {problem.hint}"
    return where == mark[:3] and told == (mark.severity, mark.code) and mark.says in said


@pytest.mark.parametrize("case", CASES)
def test_every_mistake_is_found_where_it_stands(case: dict[str, Any]) -> None:
    marks = planted(case["files"])
    assert marks, "nothing is marked"
    left = list(check_source(Source("t.yaml", case["files"], tuple(case.get("environments", ())))))
    missed = []
    for mark in marks:
        found = next((problem for problem in left if fits(problem, mark)), None)
        if found is None:
            missed.append(mark)
        else:
            left.remove(found)
    told = "\n\n".join(render(problem) for problem in left)
    assert not missed, f"not found: {missed}\n\nbut this was:\n{told}"
    assert not left, f"not marked:\n{told}"


def test_there_are_many_kinds() -> None:
    """A kind is a code and what it is said of: at least forty, of them some in nested templates and in
    environments."""
    marks = [mark for case in CASES for mark in planted(case.values[0]["files"])]
    kinds = {(mark.code, mark.says) for mark in marks}
    assert len(kinds) >= 60
    assert len({mark.code for mark in marks}) >= 25
    assert len({(mark.code, mark.says) for mark in marks if mark.file != "t.yaml"}) >= 15
