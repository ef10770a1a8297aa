"""Stacks that resources make in other projects: whoever asks for that must be one who could make them there."""

from __future__ import annotations

from terrace.errors import DocumentError, ForbiddenError, NotFoundError, UserError
from terrace.kinds.impossible import written
from terrace.model.graph import Graph
from terrace.model.problem import Problem
from terrace.services.gate import Actor, Gate, Right

OWNED = "resource "
"""Before the uid of the owner, in the name of whoever asks for a stack that a resource owns."""


async def vouch(gate: Gate, actor: Actor, project: str, graph: Graph) -> None:
    """DocumentError when `graph`, of a stack of `project`, makes stacks in projects in which `actor` may make none. To
    them such a project is not there. What a resource owns makes none elsewhere: nobody stands behind it."""
    problems = []
    for node in written(graph):
        into = node.properties.get("project") if node.kind == "Stack" else None
        if into is None or into in ("", project):
            continue
        hint = ""
        if not isinstance(into, str):
            message, hint = (
                "must be known when the template is read",
                "write it out, or give it as a parameter",
            )
        elif actor.name.startswith(OWNED):
            message = f'"{into}": a stack that a resource owns makes no stacks in other projects'
        elif await _may(gate, actor, into):
            continue
        else:
            message = f'there is no project "{into[:64]}" in which you may make stacks'
        problems.append(
            Problem(
                f'resource "{node.path}": project {message}'
                if hint
                else f'resource "{node.path}": {message}',
                file=node.place.file,
                line=node.place.line,
                column=node.place.column,
                code="no-such-project",
                hint=hint,
            )
        )
    if problems:
        raise DocumentError(problems)


async def _may(gate: Gate, actor: Actor, project: str) -> bool:
    try:
        await gate.admit(actor, Right.WRITE, project)
    except (ForbiddenError, NotFoundError, UserError):
        return False
    return True
