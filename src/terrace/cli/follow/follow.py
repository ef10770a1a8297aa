"""Follows a change to its end and says how it ended."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from terrace.cli.faults import CONFLICT, DONE, ERROR, INTERRUPTED, NOT_SETTLED, Reported, render_problems
from terrace.cli.follow.lines import Lines
from terrace.cli.follow.progress import Outcome, Progress
from terrace.cli.session import Session
from terrace.cli.shape import as_yaml, clean, paint, plural, span, value

if TYPE_CHECKING:
    from terrace.client.sse import Watch

FIRST_LOOK, LOOK = 0.05, 1.0
"""Seconds of silence after which the stack is looked at: events inform, the stack is the truth."""

LATEST = 2.0
"""Seconds after the end in which events that are on their way may still arrive."""

EXPLAINED = 3
LOG_LINES = 10

EXIT_CODES = {
    Outcome.SETTLED: DONE,
    Outcome.FAILED: ERROR,
    Outcome.LATE: NOT_SETTLED,
    Outcome.ROLLED_BACK: ERROR,
    Outcome.SUPERSEDED: CONFLICT,
    Outcome.GONE: CONFLICT,
}


def accepted(session: Session, head: dict[str, Any], watch: Watch | None, began: float) -> int:
    """A change was accepted: follow it, or say how. The exit code."""
    warnings = head.get("warnings") or ()
    if warnings:
        print(render_problems(warnings, session.color(sys.stderr)), file=sys.stderr)
    name = head["name"]
    if watch is not None:
        return _follow(session, head, watch, began)
    session.say(
        f"{name}: generation {head['generation']} is wanted. Follow it: terrace status {name} --follow"
    )
    write(session, head)
    return DONE


def follow_stack(session: Session, head: dict[str, Any]) -> int:
    """Follows what a stack is doing now. The exit code."""
    return _follow(session, head, session.client().streams.watch(head["name"]), time.monotonic())


def _follow(session: Session, head: dict[str, Any], watch: Watch, began: float) -> int:
    progress = Progress(head)
    with following(session, progress, watch, began) as view:
        if not isinstance(view, Lines):
            progress.seed(session.client().views.resource_page(head["name"])["items"])
        run(session, progress, watch, view)
    return _ended(session, progress, began)


def view_of(session: Session, progress: Progress, began: float) -> Any:
    """A live tree on a terminal, lines elsewhere."""
    if not session.lively():
        return Lines(progress, began, session.color(sys.stderr))
    from terrace.cli.follow.live import LiveTree

    return LiveTree(progress, began, session.color(sys.stderr))


@contextlib.contextmanager
def following(session: Session, progress: Progress, watch: Watch, began: float) -> Iterator[Any]:
    """The view that shows `progress`. Ctrl-C ends following, not the work; a second one ends this process at
    once."""
    view = None
    try:
        view = view_of(session, progress, began)
        view.open()
        yield view
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if view is not None:
            view.close()
        again = f"terrace status {progress.head['name']} --follow"
        session.say(f"stopped following; the work goes on. Follow it again: {again}")
        raise Reported(INTERRUPTED) from None
    except BaseException:
        if view is not None:
            view.close()
        raise
    else:
        view.close()
    finally:
        watch.close()


def run(session: Session, progress: Progress, watch: Watch, view: Any) -> None:
    """Takes events until there is an outcome; looks at the stack itself whenever it is quiet. What is still
    on its way when a look finds the end gets a moment to arrive, so that the last changes are told as
    well."""
    looked, pause = time.monotonic(), FIRST_LOOK
    last = None
    for batch in watch.batches(min(view.tick, pause)):
        view.show([event for event in batch if progress.absorb(event)])
        now = time.monotonic()
        if progress.outcome is None and not batch and now - looked >= pause:
            look(session, progress)
            looked, pause = now, LOOK
        if progress.doubtful:
            _ask_what_follows(session, progress)
        if progress.outcome is None:
            continue
        if progress.told or not progress.states:
            return
        last = last or now + LATEST
        if not batch or now >= last:
            return


def look(session: Session, progress: Progress) -> None:
    """Looks at the stack, and at its generation when that may have failed."""
    from terrace.client import ApiError

    client = session.client()
    name = progress.head["name"]
    generation: dict[str, Any] | None = None
    try:
        head = client.stacks.get(name)
        if head["phase"] == "failing" or head["generation"] > progress.wanted:
            generation = client.views.generation(name, progress.wanted)
    except ApiError as error:
        if error.status != 404:
            raise
        progress.look(None)
    else:
        progress.look(head, generation)


def _ask_what_follows(session: Session, progress: Progress) -> None:
    """Learns whether what failed is rolled back."""
    from terrace.client import ApiError

    try:
        generation = session.client().views.generation(progress.head["name"], progress.wanted)
    except ApiError:
        progress.chose("keep")
    else:
        progress.chose("keep" if generation.get("restores") else generation.get("on_failure", "keep"))


def _ended(session: Session, progress: Progress, began: float) -> int:
    outcome = progress.outcome or Outcome.FAILED
    if outcome is not Outcome.GONE:
        progress.look(session.client().stacks.get(progress.head["name"]))
    head = progress.head
    took = span(time.monotonic() - began)
    color = session.color(sys.stderr)
    if outcome is Outcome.SETTLED:
        word = "suspended" if head["phase"] == "suspended" else "settled"
        done = paint(word, "green", color)
        session.say(f"{head['name']} {done} in {took}: {plural(head.get('ready', 0), 'resource')} ready")
        _outputs(session, head)
    else:
        _say_failure(session, progress, outcome, took)
        if outcome in (Outcome.FAILED, Outcome.LATE):
            explain(session, progress)
    write(session, dict(head))
    return EXIT_CODES[outcome]


def _say_failure(session: Session, progress: Progress, outcome: Outcome, took: str) -> None:
    name = progress.head["name"]
    words = {
        Outcome.FAILED: f"{name} failed after {took}: {progress.failed or progress.head.get('why', '')}",
        Outcome.LATE: f"{name} is {progress.failed}",
        Outcome.ROLLED_BACK: f"{name} failed and was rolled back: {progress.failed}",
        Outcome.SUPERSEDED: f"another change of {name} came meanwhile: terrace history {name}",
        Outcome.GONE: f"{name} was taken down meanwhile",
    }[outcome]
    color = session.color(sys.stderr)
    print(f"{paint('error:', 'red', color)} {clean(words)}", file=sys.stderr)


def explain(session: Session, progress: Progress) -> None:
    """What fails and why: what the provider said, the last lines of a machine's log, and what to type
    next."""
    from terrace.errors import TerraceError

    client, name = session.client(), progress.head["name"]
    for path in progress.failing[:EXPLAINED]:
        try:
            item = client.views.resource(name, path)
        except TerraceError:
            continue  # it went meanwhile
        fault = item.get("fault") or {}
        print(f"  {path}: {clean(item.get('why') or fault.get('message', item['state']))}", file=sys.stderr)
        exit_code = (item.get("seen") or {}).get("exit_code")
        if exit_code is not None:
            print(f"    exit code {exit_code}", file=sys.stderr)
        if item["kind"] == "Machine" and item.get("provider_id"):
            with contextlib.suppress(TerraceError):
                for line in client.streams.logs(name, path, tail=LOG_LINES):
                    print(f"    | {clean(line.get('text', ''))}", file=sys.stderr)
            print(f"  next: terrace logs {name}/{path}", file=sys.stderr)
        elif fault.get("hint"):
            print(f"  help: {clean(fault['hint'])}", file=sys.stderr)
    session.say(f"Terrace goes on trying. See: terrace status {name}; again at once: terrace retry {name}")


def _outputs(session: Session, head: Any) -> None:
    """The outputs of a stack that settled, for people."""
    if session.output != "text":
        return
    for item in session.client().views.outputs(head["name"]):
        print(f"{item['name']} = {value(item['value'])}")


def write(session: Session, head: dict[str, Any]) -> None:
    """The stack, for programs."""
    if session.output == "json":
        print(json.dumps(head, ensure_ascii=False))
    elif session.output == "yaml":
        print(as_yaml(head), end="")
