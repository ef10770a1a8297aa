"""`terrace plan`: what would change, and why."""

from __future__ import annotations

import sys

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import CHANGES, DONE
from terrace.cli.plans import changes, plan_text
from terrace.cli.session import Session
from terrace.cli.shape import emit
from terrace.cli.verbs.request import request_of, stack_name, template_options


@command(
    "plan",
    epilog="""\
  terrace plan shop.yaml
  terrace plan shop.yaml -s staging -e staging.yaml -p replicas=3
  terrace plan shop.yaml -o json""",
)
@template_options
@output_option()
@pass_session
def plan(
    session: Session,
    template: str,
    stack: str | None,
    environments: tuple[str, ...],
    parameters: tuple[str, ...],
    parameter_file: str | None,
) -> int:
    """Show what `up` would change, and why. Changes nothing. Exit code 0: nothing to do, 2: changes, 1:
    error."""
    name = stack_name(stack, template, session.stack)
    request = request_of(template, environments, parameters, parameter_file)
    found = session.client().stacks.plan(name, request)
    emit(
        session,
        found,
        lambda: plan_text(found, session.color(sys.stdout)),
        lambda: (item["path"] for item in changes(found)),
    )
    return CHANGES if found["changes"] else DONE
