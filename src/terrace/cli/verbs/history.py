"""`terrace history` and `terrace rollback`: what was wanted when, and wanting it again."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session, stack_argument
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table


@command(
    "history", epilog="  terrace history shop\n  terrace history shop --show 3    the files of generation 3"
)
@stack_argument()
@click.option("--show", type=int, metavar="N", help="one generation, with its files")
@output_option()
@pass_session
def history(session: Session, stack: str, show: int | None) -> None:
    """List a stack's generations, newest first: who changed it, when, why, and what became of it."""
    client = session.client()
    if show is not None:
        generation = client.views.generation(stack, show)
        emit(session, generation, lambda: _files(generation), lambda: [str(show)])
        return
    generations = list(client.views.generations(stack))
    emit(
        session,
        generations,
        lambda: _text(session, generations),
        lambda: (str(generation["number"]) for generation in generations),
    )


@command(
    "rollback",
    epilog="  terrace rollback shop           the last generation that settled\n  terrace rollback shop --to 3",
)
@stack_argument()
@click.option("--to", type=int, metavar="N", help="the generation to want again")
@click.option("-y", "--yes", is_flag=True, help="answer yes: replace and delete what the change needs")
@click.option("--no-follow", is_flag=True, help="ask for it and leave")
@output_option("text", "json", "yaml")
@pass_session
def rollback(session: Session, stack: str, to: int | None, yes: bool, no_follow: bool) -> int:
    """Want an earlier generation again. It becomes a new generation with the old content."""
    from terrace.cli.follow.follow import accepted
    from terrace.cli.plans import agree

    client = session.client()
    expected = None
    if not yes:
        plan = client.stacks.plan_rollback(stack, to=to)
        agree(session, plan, f"roll back {stack}")
        expected = plan["generation"]
    began = time.monotonic()
    watch = None if no_follow else client.streams.watch(stack)
    head = client.stacks.rollback(stack, to=to, if_match=expected)
    return accepted(session, head, watch, began)


def _text(session: Session, generations: list[dict[str, Any]]) -> str:
    now = time.time()
    rows = [
        [
            str(generation["number"]),
            f"{span(now - generation['created'])} ago" if generation.get("created") else "-",
            generation.get("who") or "-",
            generation.get("why") or "-",
            outcome(generation),
        ]
        for generation in generations
    ]
    return table(rows, ["GENERATION", "WHEN", "WHO", "WHY", "OUTCOME"], session.color(sys.stdout))


def outcome(generation: dict[str, Any]) -> str:
    """What became of a generation, in a few words."""
    if generation.get("failed"):
        return f"failed: {generation['failed']}"
    if generation.get("settled"):
        return f"settled after {span(generation['settled'] - generation['created'])}"
    return "not settled"


def _files(generation: dict[str, Any]) -> str:
    files = generation.get("files") or {}
    return "\n".join(f"# {name}\n{text}" for name, text in files.items()) or "(its files are no longer kept)"
