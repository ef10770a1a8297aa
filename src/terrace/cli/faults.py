"""Errors for people and for programs, and the exit code of each."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from terrace.cli.shape import clean, paint
from terrace.errors import DocumentError, TerraceError

if TYPE_CHECKING:
    from terrace.cli.session import Session

DONE, ERROR, CHANGES, NOT_SETTLED, CONFLICT, DENIED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
NO_CONFLICT = (
    "not-supported",
    "nothing-to-restore",
    "nothing-to-cancel",
    "suspended",
    "protected",
    "not-possible",
    "already-adopted",
    "export-in-use",
    "circular-stacks",
)
"""Codes of 409 answers that trying again does not mend: nothing changed meanwhile."""

STATUS_CODES = {401: DENIED, 403: DENIED, 409: CONFLICT, 412: CONFLICT}


class Stop(TerraceError):
    """A command ends with an error of its own; `exit_code` as documented. `file`: which one could not be
    read, where several are."""

    file = ""

    def __init__(self, message: str, *, hint: str = "", code: str = "error", exit_code: int = ERROR) -> None:
        super().__init__(message, hint=hint, code=code)
        self.exit_code = exit_code


class Reported(Exception):
    """Everything has been said already; only the exit code is left."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def exit_code(error: TerraceError) -> int:
    """The exit code that `error` leads to."""
    if isinstance(error, Stop):
        return error.exit_code
    if error.code == "denied":
        return DENIED
    if error.code in NO_CONFLICT:
        return ERROR
    return STATUS_CODES.get(getattr(error, "status", 0), ERROR)


def report(error: TerraceError, session: Session) -> None:
    """Says what went wrong on standard error: text, or JSON under -o json."""
    problems = problems_of(error)
    try:
        output = session.output
    except TerraceError:
        output = "text"
    if output == "json":
        document = {"code": error.code, "message": error.message, "hint": error.hint, "problems": problems}
        print(json.dumps(document, ensure_ascii=False), file=sys.stderr)
        return
    color = session.color(sys.stderr)
    if problems:
        print(render_problems(problems, color), file=sys.stderr)
        return
    print(f"{paint('error:', 'red', color)} {clean(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  {paint('help:', 'cyan', color)} {clean(error.hint)}", file=sys.stderr)


def problems_of(error: TerraceError) -> list[dict[str, Any]]:
    """The mistakes in documents that `error` carries, as mappings."""
    if isinstance(error, DocumentError):
        import msgspec

        return [msgspec.to_builtins(problem) for problem in error.problems]
    return list(getattr(error, "problems", ()))


def render_problems(problems: Sequence[Mapping[str, Any]], color: bool) -> str:
    """Each mistake with its place, the line it stands on and what to do; a count at the end when there are
    several."""
    blocks = [render_problem(problem, color) for problem in problems]
    wrong = sum(problem.get("severity", "error") == "error" for problem in problems)
    if wrong > 1:
        blocks.append(f"{paint('error:', 'red', color)} {wrong} mistakes")
    return "\n".join(blocks)


def render_problem(problem: Mapping[str, Any], color: bool) -> str:
    """One mistake as text."""
    from terrace.model.problem import Problem, render

    known = {field: problem[field] for field in Problem.__struct_fields__ if field in problem}
    word, colon, rest = clean(render(Problem(**known))).partition(":")
    return paint(word + colon, "yellow" if word == "warning" else "red", color) + rest
