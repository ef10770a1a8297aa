"""`terrace snapshot`: a stack's definition at one moment, and what its volumes held."""

from __future__ import annotations

import sys
import time

import click

from terrace.cli.commands import Group, output_option, pass_session, stack_argument
from terrace.cli.operations.orders import follow, no_follow_option
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table


@click.group("snapshot", cls=Group)
def snapshot() -> None:
    """A stack's definition at one moment, and what its volumes held."""


@snapshot.command("create", epilog="  terrace snapshot create shop before-upgrade")
@stack_argument()
@click.argument("name")
@click.option("--definition-only", is_flag=True, help="copy no volume")
@no_follow_option
@pass_session
def create(session: Session, stack: str, name: str, definition_only: bool, no_follow: bool) -> int:
    """Keep a stack as it is wanted now, with a copy of what each of its volumes holds. It goes when the stack goes."""
    client = session.client()
    return follow(
        session,
        stack,
        no_follow,
        lambda: client.snapshots.create(stack, name, definition_only=definition_only),
    )


@snapshot.command("list", epilog="  terrace snapshot list shop")
@stack_argument()
@output_option()
@pass_session
def listing(session: Session, stack: str) -> None:
    """List a stack's snapshots."""
    found = list(session.client().snapshots.listing(stack))
    if not found and session.output in ("text", "wide"):
        session.say(f"{stack} has no snapshots")
        return
    now = time.time()
    rows = [
        [
            one["name"],
            f"{span(now - one['created'])} ago",
            str(one["generation"]),
            ", ".join(one["volumes"]) or "-",
            "yes" if one["complete"] else "no",
        ]
        for one in found
    ]
    heads = ["SNAPSHOT", "WHEN", "GENERATION", "VOLUMES", "COMPLETE"]
    emit(
        session,
        found,
        lambda: table(rows, heads, session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@snapshot.command("restore", epilog="  terrace snapshot restore shop before-upgrade")
@stack_argument()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="answer yes: what the volumes hold now is lost")
@no_follow_option
@pass_session
def restore(session: Session, stack: str, name: str, yes: bool, no_follow: bool) -> int:
    """Want again what a snapshot keeps: the definition, and what the volumes held. Machines stop meanwhile."""
    from terrace.cli.plans import ask

    client = session.client()
    if not yes:
        kept = next((one for one in client.snapshots.listing(stack) if one["name"] == name), None)
        ask(f"bring {stack} back to snapshot {name}", kept["volumes"] if kept else ())
    return follow(session, stack, no_follow, lambda: client.snapshots.restore(stack, name))


@snapshot.command("delete", epilog="  terrace snapshot delete shop before-upgrade")
@stack_argument()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="answer yes: the copies go")
@no_follow_option
@pass_session
def delete(session: Session, stack: str, name: str, yes: bool, no_follow: bool) -> int:
    """Delete a snapshot and its copies of volumes."""
    from terrace.cli.plans import ask

    if not yes:
        ask(f"delete snapshot {name} of {stack}")
    client = session.client()
    return follow(session, stack, no_follow, lambda: client.snapshots.delete(stack, name))
