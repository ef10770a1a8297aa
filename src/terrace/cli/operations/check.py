"""`terrace check`: look at everything of a stack now."""

from __future__ import annotations

import sys
from typing import Any

from terrace.cli.commands import command, output_option, pass_session, stack_argument
from terrace.cli.faults import CHANGES, DONE
from terrace.cli.plans import changes, item_lines
from terrace.cli.session import Session
from terrace.cli.shape import emit, plural


@command("check", epilog="  terrace check shop\n  terrace check shop -o json")
@stack_argument()
@output_option()
@pass_session
def check(session: Session, stack: str) -> int:
    """Look at everything of a stack now, and say what differs from what is wanted. Exit code 0: nothing, 2: something
    does (Terrace mends it by itself), 1: error."""
    found = session.client().operations.check(stack)
    emit(
        session,
        found,
        lambda: _text(found, session.color(sys.stdout)),
        lambda: (item["path"] for item in changes(found)),
    )
    return CHANGES if found["changes"] else DONE


def _text(found: dict[str, Any], color: bool) -> str:
    items = changes(found)
    lines = [line for item in items for line in item_lines(item, color)]
    looked = plural(len(found["items"]), "resource")
    differ = f"{len(items):,} of {looked} differ" if items else f"{looked} looked at, all as wanted"
    return "\n".join([*lines, f"{found['stack']}: {differ}"])
