"""Software for guests: configuration that is only kept, and what is run inside a machine."""

from __future__ import annotations

from typing import Any

import msgspec


class ConfigSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A configuration for a guest: kept, and handed to whoever refers to it. `config` is text or a map (or Secret);
    `inputs` and `outputs` are what a hook of its `group` is given and gives back, as their declarations say."""

    config: Any = ""
    group: str = "Heat::Ungrouped"
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    options: dict[str, Any] = {}


class DeploymentSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is run inside `machine` (provider id): `scripts` are texts (or Secret) by action (CREATE, UPDATE, DELETE),
    each run by the hook of `group`. `inputs` are texts by name (or Secret), `pinned` those of them whose change asks
    for a new deployment; `outputs` the names of what it gives back, `errors` those of them that mean failure.
    `agent`: only an agent inside could run it."""

    machine: str
    scripts: dict[str, Any] = {}
    group: str = "script"
    inputs: dict[str, Any] = {}
    pinned: dict[str, Any] = {}
    outputs: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    name: str = ""
    agent: bool = False


class DeployedServerSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A computer that somebody else set up."""

    name: str
    metadata: dict[str, Any] = {}
