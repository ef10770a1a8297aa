"""Plans as text, and the question before anything is destroyed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from terrace.cli.faults import INTERRUPTED, Reported, Stop
from terrace.cli.session import Session
from terrace.cli.shape import clean, paint, value

SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("-/+", "red"),
    "delete": ("-", "red"),
    "retain": ("o", "grey"),
    "heal": ("!", "yellow"),
    "adopt": ("<", "green"),
    "undecided": ("?", "grey"),
    "refused": ("x", "red"),
}

WORDS = {
    "create": "to create",
    "update": "to update in place",
    "replace": "to replace",
    "delete": "to delete",
    "retain": "to let go of, and keep",
    "heal": "to heal",
    "adopt": "to take on",
    "undecided": "not decided yet",
    "refused": "refused",
}

LONGEST = 60
DESTROYING = ("delete", "replace")
SHOWN_BEFORE_ASKING = 40


def changes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of a plan for which something would be done."""
    return [item for item in plan["items"] if item["what"] != "nothing"]


def plan_text(plan: dict[str, Any], color: bool) -> str:
    """A plan: each change with its reason and differences, and the sums."""
    items = tree(changes(plan))
    if not items:
        return f"{plan['stack']}: nothing to change ({len(plan['items']):,} as wanted)"
    lines = (line for item in items for line in item_lines(item, color))
    return "\n".join([*lines, "", summary(plan), *_quota(plan)])


def _quota(plan: dict[str, Any]) -> list[str]:
    """What the stack takes of its project's quota, and what is left then."""
    from terrace.model.spec.quota import shown  # brings msgspec along, which help can do without

    parts = [
        f"{one['resource']} {shown(one['resource'], one['takes'])}"
        f" ({shown(one['resource'], max(one['most'] - one['used'], 0))} of {shown(one['resource'], one['most'])} left)"
        for one in plan.get("quota") or ()
    ]
    return [f"quota: {', '.join(parts)}"] if parts else []


def tree(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with those inside a nested template or a group right below it, else in the order of the work."""
    below: dict[str, list[dict[str, Any]]] = {}
    paths = {item["path"] for item in items}
    for item in items:
        parent = item["path"].rpartition("/")[0]
        while parent and parent not in paths:
            parent = parent.rpartition("/")[0]
        below.setdefault(parent, []).append(item)
    found: list[dict[str, Any]] = []
    waiting = list(reversed(below.get("", [])))
    while waiting:
        item = waiting.pop()
        found.append(item)
        waiting.extend(reversed(below.get(item["path"], [])))
    return found


def summary(plan: dict[str, Any]) -> str:
    """The sums of a plan on one line."""
    counts = Counter(item["what"] for item in plan["items"])
    parts = [f"{counts[what]:,} {words}" for what, words in WORDS.items() if counts[what]]
    same = f", {counts['nothing']:,} unchanged" if counts["nothing"] else ""
    return f"{plan['stack']}: {', '.join(parts) or 'nothing to change'}{same}"


def item_lines(item: dict[str, Any], color: bool) -> list[str]:
    """One change, and below it what differs."""
    sign, shade = SIGNS.get(item["what"], ("?", "grey"))
    may = "" if item.get("certain", True) else "may "
    implied = " (implied)" if item.get("implied") else ""
    words = f"{may}{item['what']}"
    reason = f": {clean(item['reason'])}" if item.get("reason") else ""
    head = (
        f"{paint(f'{sign:>3}', shade, color)} {clean(item['path'])}  {item['kind']}{implied}  {words}{reason}"
    )
    if item.get("delete_first"):
        head += " (the old one goes first)"
    lines = [head]
    for difference in item.get("differences") or ():
        lines.append(f"      {difference_text(difference)}")
    for note in item.get("notes") or ():
        what = f"{clean(note['what'])} " if note["what"] else ""
        lines.append(f"      {what}{note['verdict']} {clean(note['words'])}")
    if item.get("loses"):
        lines.append(f"      destroys {clean(item['loses'])}")
    if item.get("hint"):
        lines.append(f"      help: {clean(item['hint'])}")
    return lines


def difference_text(difference: dict[str, Any]) -> str:
    """One property that differs."""
    marks = []
    if difference.get("forces"):
        marks.append("forces a replacement" if difference.get("certain", True) else "may force a replacement")
    if difference.get("drift"):
        marks.append("changed outside Terrace")
    tail = f"  ({', '.join(marks)})" if marks else ""
    return f"{difference['field']}: {_short(difference['before'])} -> {_short(difference['after'])}{tail}"


def agree(session: Session, plan: dict[str, Any], what: str) -> None:
    """Asks before anything is deleted or replaced: only on a terminal, where Reported ends the command when
    the answer is no; elsewhere Stop, which names the flag. Stop also when something in the plan is refused."""
    allowed(session, plan, what)
    destroyed = [item for item in plan["items"] if item["what"] in DESTROYING]
    if not destroyed:
        return
    color = session.color(sys.stderr)
    items = changes(plan)
    for item in tree(items)[:SHOWN_BEFORE_ASKING]:
        print("\n".join(item_lines(item, color)), file=sys.stderr)
    if len(items) > SHOWN_BEFORE_ASKING:
        print(f"    ... and {len(items) - SHOWN_BEFORE_ASKING:,} more", file=sys.stderr)
    print(summary(plan), file=sys.stderr)
    ask(f"{what}: {_loss(destroyed)}", lost_data(destroyed))


def allowed(session: Session, plan: dict[str, Any], what: str) -> None:
    """Stop when something in the plan is refused: then nothing of it is begun."""
    refused = [item for item in plan["items"] if item["what"] == "refused"]
    if not refused:
        return
    color = session.color(sys.stderr)
    for item in refused[:SHOWN_BEFORE_ASKING]:
        print("\n".join(item_lines(item, color)), file=sys.stderr)
    raise Stop(
        f"{what}: {named([item['path'] for item in refused])} cannot be as wanted; nothing was begun",
        code="plan-refused",
        hint="change the template as said above",
    )


def lost_data(items: Sequence[dict[str, Any]]) -> list[str]:
    """Paths of the volumes whose data goes."""
    return [item["path"] for item in items if item["kind"] == "Volume" and item["what"] in DESTROYING]


def ask(question: str, volumes: Sequence[str] = ()) -> None:
    """Asks yes or no. Stop when nobody is there to answer, Reported when the answer is no."""
    data = f" The data of {named(volumes)} goes with it." if volumes else ""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop(f"{question} needs a yes{'.' if data else ''}{data}", code="needs-yes", hint="add --yes")
    print(f"{question}.{data} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip().lower()
    if answer not in ("y", "yes"):
        print("nothing was changed", file=sys.stderr)
        raise Reported(INTERRUPTED)


def named(paths: Sequence[str], most: int = 8) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(paths) - most:,} more" if len(paths) > most else ""
    return ", ".join(clean(path) for path in paths[:most]) + more


def _loss(destroyed: Sequence[dict[str, Any]]) -> str:
    counts = Counter(item["what"] for item in destroyed)
    return " and ".join(f"{what} {counts[what]:,}" for what in DESTROYING if counts[what])


def _short(item: Any) -> str:
    text = "(none)" if item is None else value(item).replace("\n", "\\n")
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
