"""Follows a stack until it is gone, and says what could not be removed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from terrace.cli.faults import DONE, NOT_SETTLED
from terrace.cli.follow.follow import FIRST_LOOK, LOOK, following, look, write
from terrace.cli.follow.progress import Outcome, Progress
from terrace.cli.plans import named
from terrace.cli.session import Session
from terrace.cli.shape import clean, paint, span
from terrace.errors import TerraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrace.client.sse import Watch

LISTED = 20


def follow_down(
    session: Session, head: dict[str, Any] | None, watch: Watch, began: float, patience: float
) -> int:
    """Follows the deletion of the stack `head` (None: it is gone already) for `patience` seconds. The exit
    code."""
    if head is None:
        watch.close()
        return DONE
    name = head["name"]
    progress = Progress(head)
    forgotten: list[str] = []
    left: list[str] = []
    with following(session, progress, watch, began) as view:
        for batch in _batches(progress, watch, view, session, time.monotonic() + patience):
            forgotten += [event["path"] for event in batch if event["kind"] == "resource.forgotten"]
            left += [event["message"] for event in batch if event["kind"] == "resource.left"]
    if forgotten:
        session.say(f"given up, and perhaps still there: {named(forgotten, LISTED)}")
    for words in left[:LISTED]:
        session.say(f"left for now: {clean(words)}")
    if progress.outcome is Outcome.GONE:
        session.say(f"{name} is gone ({span(time.monotonic() - began)})")
        write(session, {**head, "phase": "gone", "why": "", "total": 0, "ready": 0, "failing": 0})
        return DONE
    color = session.color(sys.stderr)
    print(f"{paint('error:', 'red', color)} {name} is not gone after {span(patience)}", file=sys.stderr)
    _say_what_is_left(session, name)
    return NOT_SETTLED


def _batches(
    progress: Progress, watch: Watch, view: Any, session: Session, deadline: float
) -> Iterator[list[dict[str, Any]]]:
    """Events as they come, shown already, until the stack is gone or the time is up."""
    looked, pause = time.monotonic(), FIRST_LOOK
    for batch in watch.batches(min(view.tick, pause)):
        yield batch
        view.show([event for event in batch if progress.absorb(event)])
        if progress.outcome is not Outcome.GONE:
            progress.outcome = None  # only gone is the end of going
        if progress.outcome is None and time.monotonic() - looked >= pause:
            look(session, progress)
            looked, pause = time.monotonic(), LOOK
        if progress.outcome is Outcome.GONE or time.monotonic() >= deadline:
            return


def _say_what_is_left(session: Session, name: str) -> None:
    try:
        left = session.client().views.resource_page(name, limit=LISTED)["items"]
    except TerraceError:
        return
    for item in left:
        print(
            f"  {item['path']}  {item['kind']}  {item['state']}  {clean(item.get('why', ''))}",
            file=sys.stderr,
        )
    print("  help: Terrace goes on trying. To give up what cannot be reached: "
          f"terrace down {name} --forget", file=sys.stderr)  # fmt: skip
