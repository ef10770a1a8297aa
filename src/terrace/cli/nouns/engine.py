"""`terrace engine`: the processes that share the work."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table

LOOK = 0.5
"""Seconds between two looks at how far a draining engine is."""
UNSETTLED = 3


@click.group("engine", cls=Group)
def engine() -> None:
    """The processes of Terrace that share a database: who works on how many stacks."""


@engine.command("list", epilog="  terrace engine list")
@output_option()
@pass_session
def listing(session: Session) -> None:
    """List engines, and what each is at."""
    found = list(session.client().engines.listing())
    rows = [
        [one["name"], one["state"], ", ".join(one["roles"]), str(one["stacks"]), *_times(one)]
        for one in found
    ]
    emit(
        session,
        found,
        lambda: table(
            rows, ["ENGINE", "STATE", "ROLES", "STACKS", "STARTED", "HEARD"], session.color(sys.stdout)
        ),
        lambda: (one["name"] for one in found),
    )


@engine.command("drain", epilog="  terrace engine drain rack2")
@click.argument("name")
@click.option("--off", is_flag=True, help="Let it take stacks again.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    help="Seconds to wait until it has none left.",
)
@output_option()
@pass_session
def drain(session: Session, name: str, off: bool, timeout: float) -> None:
    """Have an engine give its stacks to the others, and wait until it has none left.

    Steps that run come to their end first. It goes on answering people; what it does not do any more is work on
    stacks, so it can be stopped, and nothing waits for it.
    """
    engines = session.client().engines
    end = time.monotonic() + timeout
    told = engines.drain(name, on=not off)
    while told["state"] == "draining":
        if time.monotonic() >= end:
            raise Stop(
                f'engine "{name}" still works on {told["stacks"]} stacks',
                code="not-drained",
                hint=f"it goes on giving them away: terrace engine drain {name}",
                exit_code=UNSETTLED,
            )
        time.sleep(LOOK)
        there = [one for one in engines.listing() if one["id"] == told["id"]]
        told = there[0] if there else {**told, "state": "drained", "stacks": 0}
    words = "takes stacks again" if off else "has no stacks left: it can be stopped"
    emit(session, told, lambda: f'engine "{name}" {words}', lambda: [name])


def _times(one: dict[str, Any]) -> list[str]:
    return [f"{span(max(time.time() - one[key], 0.0))} ago" for key in ("started", "heard")]
