"""`terrace import`, `abandon`, `adopt`: what Terrace did not make, or no longer holds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from terrace.cli.commands import command, pass_session, stack_argument
from terrace.cli.faults import Stop
from terrace.cli.operations.orders import follow, no_follow_option
from terrace.cli.session import Session


@command("import", epilog="  terrace import shop db my-postgres\n  terrace up shop.yaml")
@click.argument("stack")
@click.argument("path")
@click.argument("provider_id")
@pass_session
def take_in(session: Session, stack: str, path: str, provider_id: str) -> None:
    """Have an existing container or volume become the resource PATH of a stack, instead of making a new one.
    PROVIDER_ID is its id or name at the provider. The next `terrace up` whose template has that resource takes it on;
    from then on it is managed, and deleted, like any other. `terrace down` and deletion_policy as always."""
    session.client().adoption.take_in(stack, path, provider_id)
    session.say(
        f"{provider_id} becomes {path} of {stack} when a template wants it: terrace plan TEMPLATE -s {stack}"
    )


@command("abandon", epilog="  terrace abandon shop > shop.json\n  terrace adopt shop.json")
@stack_argument()
@click.option("-y", "--yes", is_flag=True, help="answer yes")
@click.option("--no-follow", is_flag=True, help="ask for it and leave")
@pass_session
def abandon(session: Session, stack: str, yes: bool, no_follow: bool) -> int:
    """Forget a stack and keep its things: nobody heals or deletes them any more. Prints a JSON document, from which
    `terrace adopt` takes them up again. Hidden values are sealed in it."""
    from terrace.cli.follow.leaving import follow_down
    from terrace.cli.plans import ask

    client = session.client()
    document = client.adoption.document(stack)
    if not yes:
        ask(f"forget {stack} and keep its {len(document['resources']):,} things")
    print(json.dumps(document, indent=2, ensure_ascii=False), flush=True)
    began = time.monotonic()
    watch = None if no_follow else client.streams.watch(stack)
    head = client.adoption.abandon(stack, if_match=document["generation"])
    return 0 if watch is None else follow_down(session, head, watch, began, 600.0)


@command("adopt", epilog="  terrace adopt shop.json\n  terrace adopt shop.json -s shop2")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("-s", "--stack", metavar="STACK", help="its name; by default the one it had")
@no_follow_option
@pass_session
def adopt(session: Session, file: str, stack: str | None, no_follow: bool) -> int:
    """Manage again a stack that was abandoned, from the file that `terrace abandon` printed."""
    document = _document(file)
    name = stack or str(document.get("stack", ""))

    def ask() -> dict[str, Any]:
        return session.client().adoption.adopt(name, document)

    return follow(session, name, no_follow, ask, new=True)


def _document(file: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise Stop(f"{file} cannot be read: {error.strerror}", code="file-unreadable") from error
    except ValueError as error:
        raise Stop(
            f"{file} is not JSON", hint="it is what `terrace abandon` printed", code="invalid-request"
        ) from error
    if not isinstance(found, dict):
        raise Stop(f"{file} is no file that `terrace abandon` wrote", code="invalid-request")
    return found
