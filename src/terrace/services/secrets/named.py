"""Secrets of projects: set, told of, taken away. There is no use case that shows one: what is in it is read by stacks,
and whoever may see what a stack makes of it looks at the stack's outputs."""

from __future__ import annotations

import difflib
import re

from terrace.errors import DocumentError, QuotaError, UserError
from terrace.model.graph import Graph, Node
from terrace.model.problem import Problem
from terrace.ports.vault import Kept, Stored, Vault
from terrace.services.gate import Actor, Right, Surface, check_name

LARGEST = 64 * 1024
"""Bytes of one secret."""
INSTALLATION = ""
"""In place of a project: secrets of the installation itself, which no template reads."""
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}")


class NamedSecrets:
    """Use cases about secrets. `project` INSTALLATION is the installation's own."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def put(self, actor: Actor, project: str, name: str, value: str) -> Stored:
        """A new version of a secret; the stacks that read it take it up. UserError, QuotaError."""
        await self._admit(actor, project, name, Right.WRITE)
        check_name("secret", name, _NAME)
        size = len(value.encode())
        if not value:
            raise UserError("a secret cannot be empty", code="empty-secret", hint=f"terrace secret rm {name}")
        if size > LARGEST:
            raise QuotaError(f"a secret has {LARGEST:,} bytes at most, not {size:,}", code="secret-too-large")
        stored = await self._on.vault.put(project, name, value, actor.name)
        self._wake(stored)
        return stored

    async def listing(
        self, actor: Actor, project: str, *, name: str = "", after: str = "", limit: int = 1000
    ) -> list[Kept]:
        """Secrets whose names begin with `name`, by name, without what is in them; up to `limit` of them after the one
        named `after`."""
        await self._admit(actor, project, "", Right.READ)
        return await self._on.vault.listing(project, name=name, after=after, limit=limit)

    async def remove(self, actor: Actor, project: str, name: str, *, force: bool = False) -> None:
        """Takes a secret away. NotFoundError; ConflictError while stacks read it, unless `force`."""
        await self._admit(actor, project, name, Right.WRITE)
        self._wake(await self._on.vault.remove(project, name, force=force))

    async def _admit(self, actor: Actor, project: str, name: str, right: Right) -> None:
        subject = f"secret {name}" if name else "secrets"
        if project == INSTALLATION:
            await self._on.gate.admit(actor, Right.INSTALLATION, "", subject)
        else:
            await self._on.gate.admit(actor, right, project, subject)

    def _wake(self, stored: Stored) -> None:
        for stack in stored.stacks:
            self._on.controller.wake(stack, rung=False)


async def check_named(vault: Vault, project: str, graph: Graph) -> None:
    """DocumentError with every secret that a template names and the project does not have."""
    blueprints = (node for blueprint in graph.blueprints.values() for node in blueprint.nodes)
    naming = [node for node in (*graph.nodes, *blueprints) if node.kind == "Secret"]
    named = [node for node in naming if isinstance(node.properties.get("name"), str)]
    if not named:
        return
    known = set(await vault.names(project))
    problems = [_unknown(node, known) for node in named if node.properties["name"] not in known]
    if problems:
        raise DocumentError(problems)


def _unknown(node: Node, known: set[str]) -> Problem:
    name, place = node.properties["name"], node.place
    close = difflib.get_close_matches(name, known, 1)
    hint = f'did you mean "{close[0]}"?' if close else f"terrace secret set {name}"
    message = f'there is no secret "{name[:100]}" in this project'
    return Problem(message, place.file, place.line, place.column, code="unknown-secret", hint=hint)
