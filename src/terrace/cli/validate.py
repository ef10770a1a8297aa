"""`terrace validate`: every mistake of a template in one go, on this machine, without a server."""

from __future__ import annotations

import sys

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import DONE, ERROR, render_problems
from terrace.cli.session import Session
from terrace.cli.shape import emit, plural


@command("validate", epilog="  terrace validate shop.yaml\n  terrace validate shop.yaml -e prod.yaml -o json")
@click.argument("template", type=click.Path(dir_okay=False))
@click.option("-e", "--environment", "environments", multiple=True, metavar="FILE", help="an environment")
@output_option("text", "json", "yaml")
@pass_session
def validate(session: Session, template: str, environments: tuple[str, ...]) -> int:
    """Check a template on this machine, without a server. A missing file or parameter is a warning. Exit code
    1: an error."""
    import msgspec

    from terrace.cli.template import collect
    from terrace.languages import check_source
    from terrace.model.stack import Source

    found = collect(template, environments, missing_ok=True)
    problems = check_source(Source(found.template, found.files, found.environments))
    documents = [msgspec.to_builtins(problem) for problem in problems]
    wrong = sum(problem.severity == "error" for problem in problems)
    if documents and session.output == "text":
        print(render_problems(documents, session.color(sys.stderr)), file=sys.stderr)
    emit(
        session,
        {"valid": not wrong, "problems": documents},
        lambda: (
            ""
            if wrong
            else f"{template}: valid" + (f", {plural(len(documents), 'warning')}" if documents else "")
        ),
        lambda: (),
    )
    return ERROR if wrong else DONE
