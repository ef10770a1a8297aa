"""`terrace status` and `terrace list`: what stands, since when, and why not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from terrace.cli.commands import (
    command,
    completed,
    limit_option,
    name_option,
    output_option,
    pass_session,
    some,
    stack_argument,
)
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit, paint, plural, span, state, table

if TYPE_CHECKING:
    from terrace.client import Client

PAGE, COMPLETED = 200, 1000
PHASES = ("settling", "settled", "suspended", "failing", "deleting")
STATES = (
    "waiting", "undecided", "creating", "updating", "healing", "ready", "suspended", "unhealthy", "failing", "unknown",
    "departing", "deleting",
)  # fmt: skip
"""Where stacks and resources stand, in the words of API v1 (those that are gone are not listed)."""


def _kinds(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The kinds that there are in the stack, for completion."""

    def ask(session: Session, client: Client) -> list[str]:
        resources = client.views.resources(context.params.get("stack") or session.stack)
        kinds = {item["kind"] for item in islice(resources, COMPLETED)}
        return sorted(kind for kind in kinds if kind.lower().startswith(incomplete.lower()))

    return completed(context, ask)


@command(
    "status",
    epilog="""\
  terrace status                     all stacks
  terrace status shop                every resource of one
  terrace status shop --under web    one group of resources
  terrace status shop --state failing    what is not as it should be
  terrace status shop --kind Machine --under web
  terrace status shop --follow       live, until it is settled
  terrace status shop -o json        for programs""",
)
@stack_argument(required=False)
@click.option("--under", default="", metavar="PATH", help="only the resource at PATH and what is below it")
@click.option(
    "--state",
    type=click.Choice(STATES),
    metavar="STATE",
    help="only resources in this state: failing, ready...",
)
@click.option(
    "--kind",
    default="",
    metavar="KIND",
    help="only resources of this kind, such as Machine",
    shell_complete=_kinds,
)
@click.option(
    "--limit", default=PAGE, show_default=True, type=click.IntRange(1, 5000), help="lines of a page"
)
@click.option("--after", "cursor", default="", metavar="CURSOR", help="the page after this one")
@click.option("--all", "everything", is_flag=True, help="all pages")
@click.option("-f", "--follow", is_flag=True, help="follow until it is settled")
@output_option()
@pass_session
def status(session: Session, /, stack: str | None, follow: bool, everything: bool, **page: Any) -> int:
    """Show a stack: every resource, its state, since when, and one line of why. Without a name: all
    stacks."""
    name = stack or session.stack
    narrow = {"state": page.pop("state") or "", "kind": page.pop("kind")}
    if not name:
        if any(narrow.values()):
            raise click.UsageError(
                "--state and --kind are for the resources of one stack: terrace status STACK"
            )
        show_stacks(session)
        return 0
    page |= narrow
    head = session.client().stacks.get(name)
    if follow:
        from terrace.cli.follow.follow import follow_stack

        return follow_stack(session, head)
    whole = everything or session.output in ("json", "yaml", "name")  # programs never get a part unawares
    resources, more = _resources(session, name, whole, page)
    emit(
        session,
        {"stack": head, "resources": resources},
        lambda: as_text(session, head, resources),
        lambda: (f"{name}/{item['path']}" for item in resources),
    )
    if more:
        asked = {one: page[one] for one in ("under", "state", "kind") if page[one]}
        scope = "".join(f" --{one} {said}" for one, said in asked.items())
        session.say(f"more: terrace status {name}{scope} --after {more}    (all of it: --all)")
    return 0


def _resources(
    session: Session, name: str, whole: bool, page: dict[str, Any]
) -> tuple[list[dict[str, Any]], str | None]:
    """Resources to show, and the cursor of the next page if there is one."""
    views = session.client().views
    if whole:
        asked = {one: page[one] for one in ("under", "state", "kind")}
        return list(views.resources(name, **asked)), None
    found = views.resource_page(name, **page)
    return found["items"], found["next"]


@command(
    "list",
    epilog="""\
  terrace list
  terrace list -o name
  terrace list --phase failing --name web
  terrace list --limit 20""",
)
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    metavar="PHASE",
    help="only stacks that stand there, such as failing",
)
@name_option
@limit_option
@output_option()
@pass_session
def listing(session: Session, phase: str | None, name: str, limit: int | None) -> None:
    """List the stacks of the project."""
    show_stacks(session, phase or "", name, limit)


def show_stacks(session: Session, phase: str = "", name: str = "", limit: int | None = None) -> None:
    """Writes all stacks, or those in one phase, or whose names begin so."""
    client = session.client()
    stacks = some(session, lambda most: client.stacks.listing(phase=phase, name=name, limit=most), limit)
    if not stacks and (phase or name) and session.output in ("text", "wide"):
        session.say("no stack is like that")
        return
    if not stacks and session.output in ("text", "wide"):
        session.say("no stacks yet. Make one: terrace up TEMPLATE")
        return
    emit(session, stacks, lambda: stacks_text(session, stacks), lambda: (stack["name"] for stack in stacks))


def stacks_text(session: Session, stacks: Iterable[dict[str, Any]]) -> str:
    """A line for each stack."""
    now = time.time()
    wide = session.output == "wide"
    rows = [
        [
            stack["name"],
            stack["phase"],
            f"{stack.get('ready', 0)}/{stack.get('total', 0)}",
            str(stack["generation"]),
            span(now - stack["since"]) if stack.get("since") else "-",
            *([stack["id"], str(stack.get("settled", 0))] if wide else []),
            stack.get("why") or stack.get("description", ""),
        ]
        for stack in stacks
    ]
    heads = ["STACK", "STATE", "READY", "GENERATION", "SINCE", *(["ID", "SETTLED"] if wide else []), "WHY"]
    return table(rows, heads, session.color(sys.stdout))


def as_text(session: Session, head: dict[str, Any], resources: Sequence[dict[str, Any]]) -> str:
    """The head of a stack and the tree of its resources."""
    color = session.color(sys.stdout)
    tries = [when for item in resources if (when := next_try(item))]
    lines = head_lines(head, color, min(tries, default=0.0))
    return "\n".join([*lines, *tree(resources, session.output == "wide", color)])


def head_lines(head: dict[str, Any], color: bool, next_at: float = 0.0) -> list[str]:
    """One or two lines about the stack as a whole: `next_at` is when something is tried again (0: nothing)."""
    marks = "".join(f"  {mark}" for mark in head.get("marks") or () if mark != head["phase"])
    counts = f"{head.get('ready', 0):,} of {plural(head.get('total', 0), 'resource')} ready"
    failing = f", {head['failing']:,} failing" if head.get("failing") else ""
    since = f" for {span(time.time() - head['since'])}" if head.get("since") else ""
    word = state(head["phase"], 0, color)
    counts += failing + marks
    lines = [
        f"{paint(head['name'], 'bold', color)}  {word}{since}  generation {head['generation']}  {counts}"
    ]
    if head.get("why"):
        lines.append(f"  {clean(head['why'])}{again(next_at)}")
    return lines


def tree(resources: Sequence[dict[str, Any]], wide: bool, color: bool) -> list[str]:
    """A line for each resource, below the one it belongs to."""
    now = time.time()
    rows = []
    known: set[str] = set()
    for item in resources:
        path = item["path"]
        known.add(path)
        parent, _, last = path.rpartition("/")
        depth = path.count("/") if parent in known else 0
        name = "  " * depth + (last if depth else path)
        rows.append((name, item, span(now - item["since"]) if item.get("since") else "-"))
    names = max((len(row[0]) for row in rows), default=0)
    kinds = max((len(row[1]["kind"]) for row in rows), default=0)
    lines = []
    for name, item, age in rows:
        line = (
            f"  {clean(name):<{names}}  {item['kind']:<{kinds}}  {state(item['state'], 9, color)}  {age:>4}"
        )
        if wide:
            line += f"  {item.get('provider', '')}  {clean(item.get('provider_id', ''))}"
        lines.append(f"{line}  {clean(why_of(item))}".rstrip())
    return lines


def why_of(item: dict[str, Any]) -> str:
    """One line of why a resource is as it is."""
    marks = []
    if item.get("departing"):
        marks.append(f"on its way out (incarnation {item.get('incarnation', 0)})")
    if item.get("why"):
        marks.append(item["why"] + again(next_try(item)))
    return ": ".join(marks)


def next_try(item: dict[str, Any]) -> float:
    """When what failed is tried again (epoch seconds); 0 when nothing is."""
    return float((item.get("fault") or {}).get("retry_at", 0.0)) if item["state"] == "failing" else 0.0


def again(at: float) -> str:
    """What happens next, and when, to be put behind a reason."""
    left = at - time.time()
    return "" if not at else f"; tried again in {span(left)}" if left > 0 else "; tried again now"
