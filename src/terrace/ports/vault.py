"""Secrets of projects, kept by name. What is in one can be set, and read by stacks; nobody is shown it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from terrace.model.value import Secret


class Version(msgspec.Struct, frozen=True):
    """A version of a secret: its number, who set it, and when (epoch seconds)."""

    number: int
    who: str
    at: float


class Kept(msgspec.Struct, frozen=True):
    """A secret without what is in it: its versions, newest first, and the names of the stacks that read it."""

    name: str
    versions: tuple[Version, ...]
    used_by: tuple[str, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """A version that was written: its number, and the ids of the stacks that read the secret."""

    version: int
    stacks: tuple[str, ...] = ()


class Vault(Protocol):
    """Secrets by project and name; those of the installation have the project "". What stacks read of them they read
    as `store.Crossings.imports` gives it."""

    async def put(self, project: str, name: str, value: str, who: str) -> Stored:
        """A new version, synced; the value of the one before is forgotten. Stacks that read the secret are marked as
        asked for again, so that every engine looks."""

    async def listing(
        self, project: str, *, name: str = "", after: str = "", limit: int = 1000
    ) -> list[Kept]:
        """Secrets of a project whose names begin with `name`, by name, up to `limit` of them after the one named
        `after`."""

    async def names(self, project: str) -> list[str]:
        """The names of all its secrets."""

    async def remove(self, project: str, name: str, *, force: bool = False) -> Stored:
        """Takes a secret away with all its versions. NotFoundError; ConflictError while stacks read it, unless
        `force`: they keep what they have."""

    async def value(self, project: str, name: str) -> Secret | None:
        """What is in the newest version, for Terrace itself; None when there is none."""
