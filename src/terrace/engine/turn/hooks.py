"""Hooks hold a resource before or after something is done to it, until a person clears them; restricted actions are
refused."""

from __future__ import annotations

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
    return Refuse(
        f"it may not be {word}d ({decision.reason})",
        hint=f"take {word} out of its restricted_actions in the environment",
    )


def before(state: StackState, wanted: Wanted, record: Record, act: Act) -> str:
    """The hook that holds what is to be done, and what of ("pre-create 1"); "" when nothing does. What happened behind
    our back is mended without asking."""
    hooks = wanted.node.hooks
    if not hooks:
        return ""
    if act.verb in (Verb.CREATE, Verb.ADOPT) and record.applied is None and record.incarnation == 1:
        return _due(state, hooks, record.path, "pre-create", "1")
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
    first = record.incarnation == 1 and not record.ready
    return _due(state, node.hooks, record.path, when, "1") if node.hooks and first else ""


def after(node: Node, record: Record, act: Act, digest: str) -> str:
    """The hook that will hold the resource once `act` is done."""
    first = act.verb in (Verb.CREATE, Verb.ADOPT) and record.incarnation == 1
    if first:
        return "post-create 1" if "post-create" in node.hooks else ""
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
    return _due(state, record.hooks, record.path, hook, f"{record.incarnation}")


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


def _due(state: StackState, hooks: tuple[str, ...], path: str, hook: str, token: str) -> str:
    return f"{hook} {token}" if hook in hooks and not cleared(state, path, hook, token) else ""
