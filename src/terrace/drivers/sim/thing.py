"""One thing at a simulated provider, and what the provider shows of it."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.model.seen import Owner, Seen
from terrace.model.spec.machine import MachineSpec
from terrace.model.value import Secret, holds

# Fields of a spec that the provider can show, so that drift is seen; the other kinds show all of theirs.
SHOWN = {
    "Machine": ("image", "cpu", "memory", "pids", "networks", "volumes", "command", "restart"),
    "Volume": ("size",),
    "Network": ("cidr", "internal"),
    "Image": ("source",),
}
HOST = "sim-1"
SCALARS = frozenset({str, int, float, bool, type(None)})


class Thing:
    """A thing and its history as far as listings still show it. `busy`: the provider still works on its
    creation. `parts` are the parts of its creation that are done. `stale`: until (epoch seconds) listings
    show that Seen (None: nothing) instead. `content` is what a volume or a machine's own disk holds, by
    path."""

    __slots__ = (
        "address",
        "busy",
        "content",
        "created",
        "exit_code",
        "finished",
        "ghost_until",
        "kind",
        "output",
        "owner",
        "parts",
        "properties",
        "provider_id",
        "seen",
        "sick",
        "spec",
        "stale",
        "state",
    )

    def __init__(self, kind: str, provider_id: str, owner: Owner | None, spec: Any, now: float) -> None:
        self.kind = kind
        self.provider_id = provider_id
        self.owner = owner
        self.spec = spec
        self.created = now
        self.state = "created" if kind == "Machine" else "available"
        self.parts: set[str] = set()
        self.busy = False
        self.finished = 0.0
        self.exit_code: int | None = None
        self.ghost_until = 0.0
        self.sick = False
        self.address: dict[str, str] = {}
        self.content: dict[str, str] = {}
        self.output: list[tuple[float, str]] = []
        self.stale: tuple[float, Seen | None] | None = None
        self.properties = shown(kind, spec)
        self.seen: Seen = Seen(kind, provider_id)

    def show(self) -> Seen:
        """Works out anew what the provider shows."""
        machine = self.kind == "Machine"
        self.seen = Seen(
            kind=self.kind,
            provider_id=self.provider_id,
            owner=self.owner,
            state=self.state,
            complete=not self.busy and (not machine or "start" in self.parts),
            attributes=self._attributes(),
            properties=self.properties,
            name=getattr(self.spec, "name", ""),
            created=self.created,
            finished=self.finished,
            exit_code=self.exit_code,
            data=self.kind == "Volume",
        )
        return self.seen

    def listed(self, now: float) -> Seen | None:
        """What a listing at `now` shows of it."""
        if self.stale is not None:
            until, before = self.stale
            if now < until:
                return before
            self.stale = None
        return self.seen

    def _attributes(self) -> dict[str, Any]:
        spec = self.spec
        if self.kind == "Machine":
            return self._machine_attributes(spec)
        if self.kind == "Value":
            return {"value": spec.value}
        if self.kind == "TestResource":
            return {"output": spec.value, **spec.attributes}
        if self.kind == "None":
            return {}
        attributes = {"id": self.provider_id, **self.properties}
        if self.kind == "Port":
            attributes["ip"] = self.address.get(spec.network, spec.ip)
        return attributes

    def _machine_attributes(self, spec: MachineSpec) -> dict[str, Any]:
        addresses = [self.address[nic.network] for nic in spec.networks if nic.network in self.address]
        return {
            "name": spec.name,
            "id": self.provider_id,
            "first_address": addresses[0] if addresses else "",
            "addresses": addresses,
            "networks": {network: [address] for network, address in self.address.items()},
            "state": self.state,
            "host": HOST,
        }


def shown(kind: str, spec: Any) -> dict[str, Any]:
    """The fields of `spec` that this provider can show, as plain data. Secrets are never among them."""
    if spec is None:
        return {}
    fields = SHOWN.get(kind) or spec.__struct_fields__
    found = {}
    for field in fields:
        value = getattr(spec, field)
        if type(value) in SCALARS:
            found[field] = value
        elif not holds(value, Secret):
            found[field] = msgspec.to_builtins(value)
    return found
