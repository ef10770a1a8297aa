"""What reaches out of a stack: an output that is read, a secret of the project, a whole stack that a resource owns."""

from __future__ import annotations

from typing import Any

import msgspec


class StackOutputSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of `output` of `stack`, as it was last found; `gone` says why it is there no longer ("" while it
    is)."""

    stack: str
    output: str
    value: Any = None
    gone: str = ""


class NamedSecretSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """The secret `name` of the project, as it was last found; `gone` says why it is there no longer ("" while it
    is)."""

    name: str
    value: Any = None
    version: Any = 0
    gone: str = ""


class StackSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stack that the resource at `path` owns: a template as text, and its parameters. `timeout` in seconds (0: as
    usual); `outputs` are what it exports at the moment."""

    path: str
    template: str
    parameters: dict[str, Any] = {}
    timeout: float = 0.0
    outputs: dict[str, Any] = {}
