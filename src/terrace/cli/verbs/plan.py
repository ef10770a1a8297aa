"""`terrace plan`: what would change, and why."""

from __future__ import annotations

import sys
from typing import Any

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import CHANGES, DONE, render_problems
from terrace.cli.plans import changes, plan_text
from terrace.cli.session import Session
from terrace.cli.shape import emit
from terrace.cli.verbs.request import request_of, scope_options, stack_name, template_options


@command(
    "plan",
    epilog="""\
  terrace plan shop.yaml
  terrace plan shop.yaml -s staging -e staging.yaml -p replicas=3
  terrace plan shop.yaml -o json""",
)
@template_options
@scope_options
@output_option()
@pass_session
def plan(session: Session, /, template: str, stack: str | None, **options: Any) -> int:
    """Show what `up` would change, and why. Changes nothing. Exit code 0: nothing to do, 2: changes, 1:
    error."""
    name = stack_name(stack, template, session.stack)
    wanted = ("environments", "parameters", "parameter_file")
    request = request_of(template, **{key: options[key] for key in wanted})
    request |= {key: list(options[key]) for key in ("targets", "excludes") if options[key]}
    found = session.client().stacks.plan(name, request)
    if found.get("warnings"):
        print(render_problems(found["warnings"], session.color(sys.stderr)), file=sys.stderr)
    emit(
        session,
        found,
        lambda: plan_text(found, session.color(sys.stdout)),
        lambda: (item["path"] for item in changes(found)),
    )
    return CHANGES if found["changes"] else DONE
