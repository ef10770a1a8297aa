"""What answers look like. One Struct per shape: it is encoded as it is, and the published OpenAPI is made
from it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Generic, TypeVar

import msgspec

from terrace.model.codec import show
from terrace.model.event import Event
from terrace.model.plan import Item, Plan
from terrace.model.problem import Problem
from terrace.model.record import Fault, Record
from terrace.model.stack import Generation, Stack
from terrace.model.value import Secret
from terrace.services.quotas.counting import QuotaLine

T = TypeVar("T")
PROBLEM = "application/problem+json"
"""The media type of errors (RFC 9457)."""


class Page(msgspec.Struct, Generic[T]):
    """One page of a list. `next` is the cursor of the page after it, null at the end."""

    items: list[T]
    next: str | None = None


class ProblemView(msgspec.Struct, omit_defaults=True):
    """An error (RFC 9457). `code` is a stable word; `message` one line; `hint` what to do now; `problems` the
    mistakes in documents, each with its place."""

    type: str
    title: str
    status: int
    code: str
    message: str
    detail: str = ""
    hint: str = ""
    problems: tuple[Problem, ...] = ()


class StackView(msgspec.Struct):
    """The head of a stack. `generation` is the newest wanted, `settled` the last that settled (0: none): the
    stack stands as wanted when they are equal. `phase` is settling, settled, suspended, failing, deleting or
    gone; `why` says what it waits for or what failed. Times are epoch seconds. `total`, `ready` and `failing`
    count resources. `marks`, given where one stack is asked for: suspended, protected."""

    name: str
    project: str
    id: str
    generation: int
    settled: int
    phase: str
    why: str
    since: float
    created: float
    updated: float
    total: int
    ready: int
    failing: int
    description: str
    warnings: tuple[Problem, ...] | msgspec.UnsetType = msgspec.UNSET
    marks: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class SeenView(msgspec.Struct, omit_defaults=True):
    """What a provider last showed of a resource. `state` is the kind's own word; times are epoch seconds."""

    name: str
    state: str
    healthy: bool | None = None
    complete: bool = True
    created: float = 0.0
    finished: float = 0.0
    exit_code: int | None = None
    why: str = ""


class ResourceView(msgspec.Struct):
    """One incarnation of a resource. `state` is its place in the lifecycle, `why` one line about it, `type`
    what the template calls it. `departing`: it is on its way out. `implied`: Terrace added it. Secret
    attributes are ******."""

    path: str
    kind: str
    type: str
    state: str
    why: str
    since: float
    provider: str
    provider_id: str
    incarnation: int
    attributes: dict[str, Any]
    implied: bool
    departing: bool
    fault: Fault | None = None
    seen: SeenView | None = None


class GenerationView(msgspec.Struct):
    """One desired state. `settled` is when it first settled (epoch seconds, 0: not), `failed` why it failed
    ("" if not), `restores` the generation it is a rollback to (0: none)."""

    number: int
    created: float
    who: str
    why: str
    settled: float
    failed: str
    restores: int
    deleting: bool
    timeout: float
    on_failure: str


class WholeGenerationView(GenerationView):
    """A generation with what it was made from. Hidden parameters are ******, and so are files that may hold
    them."""

    template: str
    files: dict[str, Any]
    environments: tuple[str, ...]
    parameters: dict[str, Any]


class DifferenceView(msgspec.Struct):
    """One property that would change. `forces`: this one makes a replacement necessary; `drift`: the world
    changed, not the wish. `certain` false: `after` holds "(known after apply)" where it is not known yet.
    Secrets are ******."""

    field: str
    before: Any
    after: Any
    forces: bool
    certain: bool
    drift: bool


class NoteView(msgspec.Struct):
    """What becomes on this provider of `what`, a property as the template names it ("": the resource as a whole).
    `verdict` is "maps to", "ignored because" or "refused because"; `words` the rest of that sentence."""

    verdict: str
    what: str
    words: str


class ItemView(msgspec.Struct):
    """What would be done to one resource. `what` is create, update, replace, delete, retain, heal, adopt, nothing,
    undecided or refused; `certain` false: it may be. `loses` names the data that goes with it ("": none)."""

    path: str
    kind: str
    what: str
    reason: str
    certain: bool
    differences: list[DifferenceView]
    delete_first: bool
    implied: bool
    hint: str
    notes: list[NoteView]
    loses: str


class PlanView(msgspec.Struct):
    """What would change and why, against `generation`. `changes` false: nothing at all. `counts` says how many
    items there are of each `what`. `digest` names exactly this plan; `sealed` is it as it can be kept ("" unless
    asked for). `quota` is there where the project has one: each resource that is limited, how much of it the stack
    would take, how much all stacks then take, and of how much."""

    stack: str
    generation: int
    changes: bool
    items: list[ItemView]
    counts: dict[str, int]
    warnings: tuple[Problem, ...] = ()
    digest: str = ""
    sealed: str = ""
    quota: tuple[QuotaLine, ...] = ()


class EventView(msgspec.Struct):
    """One thing that happened at `at` (epoch seconds). Numbers only rise. `stack` is the id of its stack, `project`
    where that is ("": of the installation)."""

    number: int
    kind: str
    at: float
    stack: str
    path: str
    message: str
    state: str
    generation: int
    detail: dict[str, Any]
    project: str = ""


def stack_view(stack: Stack, warnings: tuple[Problem, ...] | msgspec.UnsetType = msgspec.UNSET) -> StackView:
    """A stack as shown."""
    return StackView(
        name=stack.name,
        project=stack.project,
        id=stack.id,
        generation=stack.generation,
        settled=stack.settled,
        phase=stack.phase.value,
        why=stack.why,
        since=stack.since,
        created=stack.created,
        updated=stack.updated,
        total=stack.total,
        ready=stack.ready,
        failing=stack.failing,
        description=stack.description,
        warnings=warnings,
    )


def resource_view(record: Record) -> ResourceView:
    """A record as shown. Many are shown at once: without the names of fields this takes half the time."""
    seen = record.seen
    shown = (
        None
        if seen is None
        else SeenView(
            seen.name,
            seen.state,
            seen.healthy,
            seen.complete,
            seen.created,
            seen.finished,
            seen.exit_code,
            seen.why,
        )
    )
    return ResourceView(
        record.path,
        record.kind,
        record.type_name or f"Terrace::{record.kind}",
        record.state.value,
        record.why,
        record.since,
        record.provider,
        record.provider_id,
        record.incarnation,
        show(seen.attributes) if seen else {},
        record.implied,
        record.departing,
        record.fault,
        shown,
    )


def generation_view(generation: Generation) -> GenerationView:
    """A generation as listed."""
    return GenerationView(**_generation(generation))


def whole_generation_view(generation: Generation) -> WholeGenerationView:
    """A generation with its documents."""
    source = generation.source
    given = source.parameters.items()
    return WholeGenerationView(
        **_generation(generation),
        template=source.template,
        files={name: show(text) for name, text in source.files.items()},
        environments=source.environments,
        parameters=show({**generation.parameters, **{k: v for k, v in given if isinstance(v, Secret)}}),
    )


def _generation(generation: Generation) -> dict[str, Any]:
    return {
        "number": generation.number,
        "created": generation.created,
        "who": generation.who,
        "why": generation.why,
        "settled": generation.settled,
        "failed": generation.failed,
        "restores": generation.restores,
        "deleting": generation.deleting,
        "timeout": generation.timeout,
        "on_failure": generation.on_failure.value,
    }


def plan_view(
    plan: Plan,
    warnings: tuple[Problem, ...] = (),
    digest: str = "",
    sealed: str = "",
    quota: tuple[QuotaLine, ...] = (),
) -> PlanView:
    """A plan as shown, its secrets as ******."""
    counts = Counter(item.what.value for item in plan.items)
    return PlanView(
        plan.stack,
        plan.generation,
        plan.changes,
        [_item(item) for item in plan.items],
        dict(sorted(counts.items())),
        warnings,
        digest,
        sealed,
        quota,
    )


def _item(item: Item) -> ItemView:
    return ItemView(
        path=item.path,
        kind=item.kind,
        what=item.what.value,
        reason=item.reason,
        certain=item.certain,
        differences=[
            DifferenceView(d.field, _masked(d.before), _masked(d.after), d.forces, d.certain, d.drift)
            for d in item.differences
        ],
        delete_first=item.delete_first,
        implied=item.implied,
        hint=item.hint,
        notes=[NoteView(note.verdict.value, note.what, note.words) for note in item.notes],
        loses=item.loses,
    )


def _masked(value: Any) -> Any:
    """`value` of a spec's plain form as plain data: secrets, which stand there as digests, as ******."""
    if isinstance(value, dict):
        if value.keys() == {"secret"} and isinstance(value["secret"], str):
            return "******"
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return show(value)


def event_view(event: Event) -> EventView:
    """An event as shown."""
    return EventView(
        number=event.number,
        kind=event.kind,
        at=event.at,
        stack=event.stack,
        path=event.path,
        message=event.message,
        state=event.state,
        generation=event.generation,
        detail=show(event.detail),
        project=event.project,
    )
