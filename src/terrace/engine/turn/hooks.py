"""Hooks hold a resource before or after something is done to it, until a person clears them; restricted actions are
refused."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from terrace.engine.stack.state import Live, StackState
from terrace.engine.turn.orders import TAINT, count
from terrace.model.decision import NO_CHANGE, Act, Decision, Refuse
from terrace.model.graph import Node
from terrace.model.record import Record, State
from terrace.model.step import Verb
from terrace.ports.kind import Wanted

CLEARED = "hook/"
"""The beginning of a directive's name: the rest is the hook, its value what of was cleared."""

WORDS = {Verb.UPDATE: "update", Verb.REPLACE: "replace"}


def restrict(node: Node, decision: Decision) -> Decision:
    """The decision, or a refusal of what the environment restricts."""
    word = WORDS.get(decision.verb, "") if isinstance(decision, Act) else ""
    if not word or word not in node.restricted or not isinstance(decision, Act):
        return decision
    return restricted(word, decision.reason)


def restricted(word: str, reason: str) -> Refuse:
    """The refusal of what the environment restricts."""
    return Refuse(
        f"it may not be {word}d ({reason})",
        hint=f"take {word} out of its restricted_actions in the environment",
    )


def before(state: StackState, wanted: Wanted, record: Record, act: Act) -> str:
    """The hook that holds what is to be done, and what of ("pre-create 1"); "" when nothing does. What happened behind
    our back is mended without asking."""
    hooks = wanted.node.hooks
    if not hooks:
        return ""
    if act.verb in (Verb.CREATE, Verb.ADOPT) and record.applied is None and _first(state, record):
        return _due(state, hooks, record.path, "pre-create", _this(record))
    tainted = count(state, record.path, TAINT)
    if act.verb in (Verb.UPDATE, Verb.REPLACE) and (
        wanted.digest != record.digest or tainted > record.taints
    ):
        return _due(
            state, hooks, record.path, "pre-update", f"{record.incarnation}.{tainted}.{wanted.digest}"
        )
    return ""


def opening(state: StackState, node: Node, record: Record, when: str) -> str:
    """The hook that holds a composite before ("pre-create") or after ("post-create") all that is in it is made for the
    first time; "" when none does."""
    first = node.hooks and _first(state, record) and not record.ready
    return _due(state, node.hooks, record.path, when, _this(record)) if first else ""


def changing(state: StackState, node: Node, record: Record, contents: str) -> Refuse | str:
    """What is in the way of a composite that is asked to be something else (its contents, see stack/contents.py): the
    hook that holds it, or that the environment restricts it; "" when nothing is."""
    if not record.ready or not record.digest or record.digest == contents:
        return ""
    if "update" in node.restricted:
        return restricted("update", "what it is given, or the template that it is made from, changed")
    return _due(state, node.hooks, record.path, "pre-update", f"{record.incarnation}.0.{contents}")


def changed(node: Node, record: Record, contents: str) -> dict[str, Any]:
    """What changes in the record of a composite that is asked to be this from now on."""
    other = record.ready and record.digest and record.digest != contents
    waits = f"post-update {record.incarnation}.{contents}" if "post-update" in node.hooks else ""
    fields = {"digest": contents, "hooks": kept(node), "post": waits if other else record.post}
    fields["hook"] = "" if record.hook.startswith("pre-") else record.hook
    return {name: value for name, value in fields.items() if value != getattr(record, name)}


def after(state: StackState, node: Node, record: Record, act: Act, digest: str) -> str:
    """The hook that will hold the resource once `act` is done."""
    if act.verb in (Verb.CREATE, Verb.ADOPT) and _first(state, record):
        return f"post-create {_this(record)}" if "post-create" in node.hooks else ""
    changed = act.verb is Verb.UPDATE or (act.verb is Verb.CREATE and act.change is not NO_CHANGE)
    if changed and "post-update" in node.hooks:
        return f"post-update {record.incarnation}.{digest}"
    return record.post


def still(state: StackState, record: Record) -> str:
    """The hook behind what was done that holds the resource now."""
    hook, _, token = record.post.partition(" ")
    return "" if not hook or cleared(state, record.path, hook, token) else record.post


def leaving(state: StackState, live: Live, record: Record, hook: str) -> str:
    """The pre-delete or post-delete hook that holds what nobody wants; a replaced one is not asked about."""
    if live.node is not None:
        return ""
    return _due(state, record.hooks, record.path, hook, _this(record))


def hold(state: StackState, live: Live, record: Record, due: str, now: float) -> Record:
    """Waits, and says for whom."""
    hook = due.partition(" ")[0]
    clear = f"terrace hook clear {state.stack.name} {live.path} {hook}"
    why = f"held by its {hook} hook: {clear}"
    if record.hook != due:
        state.say("resource.held", now, live.path, why, State.WAITING)
        record = replace(record, hook=due)
        state.put(live, record)
    state.hooked.add(live.path)
    live.settled = False
    state.unsettled.add(live.path)
    return state.set_state(live, record, State.WAITING, why, now)


def kept(node: Node) -> tuple[str, ...]:
    """The hooks that a record must remember, since they are asked about when the node is gone."""
    return tuple(hook for hook in node.hooks if hook.endswith("-delete"))


def cleared(state: StackState, path: str, hook: str, token: str) -> bool:
    """Whether a person cleared it."""
    return bool(state.directives.get(path, {}).get(CLEARED + hook) == token)


def _this(record: Record) -> str:
    """What tells an incarnation from all others that ever were at its path."""
    return f"{record.uid}.{record.incarnation}"


def _first(state: StackState, record: Record) -> bool:
    """Whether it is the first incarnation of a new life, and not one in place of another."""
    parent = state.lives[record.path].parent
    used = parent.current.incarnations if parent is not None and parent.current is not None else {}
    return record.incarnation == used.get(record.path.rpartition("/")[2], 0) + 1


def _due(state: StackState, hooks: tuple[str, ...], path: str, hook: str, token: str) -> str:
    return f"{hook} {token}" if hook in hooks and not cleared(state, path, hook, token) else ""
