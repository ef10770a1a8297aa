"""`terrace up`: make it so, and follow until it is."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.plans import agree
from terrace.cli.session import Session
from terrace.cli.verbs.plan import kept_plan
from terrace.cli.verbs.request import request_of, scope_options, seconds, stack_name, template_options

WANTED = ("environments", "parameters", "parameter_file")
SCOPE = ("targets", "excludes")


@command(
    "up",
    epilog="""\
  terrace up shop.yaml
  terrace up shop.yaml -s staging -e staging.yaml -p replicas=3
  terrace up shop.yaml -p password=@secret.txt --yes --on-failure rollback --timeout 10m
  terrace up --plan shop.plan""",
)
@partial(template_options, required=False)
@scope_options
@click.option("--plan", "plan", metavar="FILE", help="apply exactly the plan that `terrace plan --out` kept")
@click.option("-y", "--yes", is_flag=True, help="answer yes: replace and delete what the change needs")
@click.option(
    "--on-failure",
    type=click.Choice(["keep", "rollback"]),
    help="when it fails: keep what there is (default), or roll back",
)
@click.option(
    "--timeout",
    metavar="TIME",
    help="until it counts as failed: 90s, 30m, 2h (default 60m); it is tried on all the same",
)
@click.option("--no-follow", is_flag=True, help="ask for it and leave")
@output_option("text", "json", "yaml")
@pass_session
def up(session: Session, /, template: str | None, stack: str | None, **options: Any) -> int:
    """Apply a template and follow until it is settled. Asks before anything is replaced or deleted."""
    began = time.monotonic()
    if options["plan"]:
        name, request = _kept(session, template, stack, options)
    elif template is None:
        raise Stop("there is no template", code="usage", hint="terrace up TEMPLATE, or --plan FILE")
    else:
        name = stack_name(stack, template, session.stack)
        request = request_of(template, **{key: options[key] for key in WANTED})
        request |= {key: list(options[key]) for key in SCOPE if options[key]}
    if options["on_failure"]:
        request["on_failure"] = options["on_failure"]
    if options["timeout"]:
        request["timeout"] = seconds(options["timeout"])
    return _apply(session, name, request, yes=options["yes"], follow=not options["no_follow"], began=began)


def _kept(
    session: Session, template: str | None, stack: str | None, options: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The stack and the request of a kept plan, with which nothing else can be said about what is wanted."""
    if template is not None or any(options[name] for name in (*WANTED, *SCOPE)):
        raise Stop(
            "a plan that was kept says by itself what is wanted", code="usage", hint="give --plan alone"
        )
    name, request = kept_plan(options["plan"], session.project)
    if stack is not None and stack != name:
        raise Stop(f'the plan in {options["plan"]} is of stack "{name}"', code="usage", hint=f"-s {name}")
    return name, request


def _apply(
    session: Session, name: str, request: dict[str, Any], *, yes: bool, follow: bool, began: float
) -> int:
    """A new stack destroys nothing, so it needs no plan; a changed one is planned first unless the answer was
    given."""
    from terrace.cli.follow.follow import accepted

    client = session.client()
    head = existing(client, name)
    if head is None:
        stack = client.stacks.apply(name, request, if_match=None if yes else 0)
        return accepted(session, stack, client.streams.watch(name, after=0) if follow else None, began)
    expected = None
    if not yes:
        plan = client.stacks.plan(name, request)
        agree(session, plan, f"change {name}")
        expected = plan["generation"]
    watch = client.streams.watch(name) if follow else None  # opened first: so that nothing is missed
    stack = client.stacks.apply(name, request, if_match=expected)
    return accepted(session, stack, watch, began)


def existing(client: Any, name: str) -> dict[str, Any] | None:
    """The stack of that name, None when there is none."""
    from terrace.client import ApiError

    try:
        head: dict[str, Any] = client.stacks.get(name)
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    return head
