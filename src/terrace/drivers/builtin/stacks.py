"""Stacks that resources own, as a driver sees them: ordered, waited for, deleted."""

from __future__ import annotations

from terrace.errors import PermanentError, TransientError
from terrace.model.graph import owned_name
from terrace.model.seen import Seen
from terrace.model.spec.crossing import StackSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.stacks import Order, OwnStacks, Standing

LOOK_AGAIN = 1.0
ORDERED, LEAVING = "ordered", "leaving"


class StackSteps:
    """Carries out the steps of the kind Stack."""

    def __init__(self, stacks: OwnStacks) -> None:
        self._stacks = stacks

    async def apply(self, step: Step) -> Receipt:
        """Carries out `step`; it is pending until the stack stands, or is gone."""
        if step.verb is Verb.DELETE:
            return await self._delete(step)
        if step.handle != ORDERED:
            await self._stacks.order(_order(step))
        standing = await self._look(step)
        if standing is None:
            raise TransientError("its stack went away while it was being made")
        if standing.failed and not standing.settled:
            raise PermanentError(
                f"stack {_name(step)}: {standing.failed}", hint=f"terrace status {_name(step)}"
            )
        if not standing.settled:
            return Receipt.pending(ORDERED, LOOK_AGAIN, standing.why, _seen(step, standing, complete=False))
        return Receipt.done(_seen(step, standing))

    async def _delete(self, step: Step) -> Receipt:
        standing = await self._look(step)
        if standing is None:
            return Receipt.done(None)
        if step.handle != LEAVING:
            await self._stacks.delete(_project(step), _name(step), step.owner.uid)
        return Receipt.pending(LEAVING, LOOK_AGAIN, standing.why, _seen(step, standing))

    async def _look(self, step: Step) -> Standing | None:
        return await self._stacks.standing(_project(step), _name(step), step.owner.uid)


def _name(step: Step) -> str:
    return owned_name(step.names.path, step.owner.uid)


def _project(step: Step) -> str:
    """Where its own stack is: as wanted, or (of one that goes) as it was."""
    said = step.spec.project if step.spec is not None else step.attributes.get("project")
    return said or step.names.project


def _order(step: Step) -> Order:
    spec: StackSpec = step.spec
    return Order(
        project=step.names.project,
        stack=step.names.stack,
        owner=step.owner.uid,
        name=_name(step),
        template=spec.template,
        parameters=spec.parameters,
        timeout=spec.timeout,
        into=_project(step),
    )


def _seen(step: Step, standing: Standing, *, complete: bool = True) -> Seen:
    name = _name(step)
    return Seen(
        kind=step.kind,
        provider_id=standing.id,
        owner=step.owner,
        complete=complete or step.verb is not Verb.CREATE,
        attributes={
            "name": name,
            "project": _project(step),
            "id": standing.id,
            "outputs": standing.outputs,
        },
    )
