"""References across stacks: every output of a stack is exported under its name, and other stacks of the project use
it."""

from __future__ import annotations

from typing import Any

import msgspec


class Name(msgspec.Struct, frozen=True, gc=False, order=True):
    """An output of a stack, as others name it. `output` "" stands for all of them, as a map."""

    project: str
    stack: str
    output: str = ""

    def __str__(self) -> str:
        return f'output "{self.output}" of stack "{self.stack}"' if self.output else f'stack "{self.stack}"'


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """A resource at `path` reads `name`; the path is "" while only the template is known and not the resource.
    `kept` holds the value that it last read, and nothing before it ever read one."""

    path: str
    name: Name
    kept: tuple[Any, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """What there is of a name: `value` holds it, or is empty, and then `why` says why."""

    name: Name
    value: tuple[Any, ...] = ()
    why: str = ""


class Crossing(msgspec.Struct, frozen=True, gc=False):
    """One stack (`reader`, by id, project and name) uses `name` of another."""

    reader: str
    project: str
    stack: str
    name: Name
