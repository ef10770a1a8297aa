"""`terrace validate`: every mistake of templates in one go, on this machine, without a server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import DONE, ERROR, Stop, render_problems
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit, plural

if TYPE_CHECKING:
    from terrace.model.problem import Problem

FIELDS = ("file", "line", "column", "code", "severity", "message", "hint")
"""What `-o json` says of each mistake."""


@command(
    "validate",
    epilog="""\
  terrace validate shop.yaml
  terrace validate shop.yaml -e prod.yaml -p replicas=3 -o json
  terrace validate --strict templates/*.yaml""",
)
@click.argument("templates", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option(
    "-e",
    "--environment",
    "environments",
    multiple=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="an environment for all of them; later ones win",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="a parameter, checked against its constraints; NAME=@FILE reads a file",
)
@click.option("--strict", is_flag=True, help="warnings are errors")
@output_option("text", "json", "yaml")
@pass_session
def validate(
    session: Session,
    templates: tuple[str, ...],
    environments: tuple[str, ...],
    parameters: tuple[str, ...],
    strict: bool,
) -> int:
    """Check templates on this machine, without a server: every mistake with its place, those in nested
    templates and environments too. What only `up` needs is a warning: a type that no provider offers, a
    property that is refused, a file or a parameter that is not there. Exit code 0: the language is
    right, 1: it is not. A FILE may be an environment, which is then checked alone; "-" is standard
    input."""
    from terrace.cli.verbs.request import parameter

    given = dict(map(parameter, parameters))
    found = {name: _check(name, environments, given, strict) for name in templates}
    problems = list(dict.fromkeys(problem for each in found.values() for problem in each))
    shown = [_document(problem) for problem in problems]
    if shown and session.output == "text":
        print(render_problems(shown, session.color(sys.stderr)), file=sys.stderr)
    emit(
        session,
        [{field: document[field] for field in FIELDS} for document in shown],
        lambda: "\n".join(_summary(name, each) for name, each in found.items()),
        lambda: (),
    )
    return ERROR if any(problem.severity == "error" for problem in problems) else DONE


def _check(
    name: str, environments: Sequence[str], parameters: Mapping[str, str], strict: bool
) -> list[Problem]:
    """The mistakes of one template; a file that cannot be read is one."""
    import msgspec

    from terrace.cli.template import collect
    from terrace.languages import check_source
    from terrace.model.problem import Problem
    from terrace.model.stack import Source

    unreadable: list[Stop] = []
    collected = collect(name, environments, missing_ok=True, unreadable=unreadable)
    faults = [Problem(stop.message, file=stop.file, code=stop.code, hint=stop.hint) for stop in unreadable]
    if collected.template in collected.files:
        source = Source(collected.template, collected.files, collected.environments, dict(parameters))
        faults += check_source(source)
    if strict:
        faults = [msgspec.structs.replace(fault, severity="error") for fault in faults]
    return faults


def _document(problem: Problem) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(problem)
    return document


def _summary(name: str, problems: Sequence[Problem]) -> str:
    """One line about a file: whether it is right, and what there is to know."""
    wrong = sum(problem.severity == "error" for problem in problems)
    counts = [
        plural(count, word)
        for count, word in ((wrong, "mistake"), (len(problems) - wrong, "warning"))
        if count
    ]
    return ", ".join([f"{clean(name)}: {'not valid' if wrong else 'valid'}", *counts])
