"""What is to be done to one real thing, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.seen import Names, Owner, Seen


class Verb(StrEnum):
    """What a step does. REPLACE is only ever planned: it is carried out as a create and a delete. STOP: it is to stand
    still and keep all it holds. ADOPT: a thing that exists already is looked up, to be taken on; no driver gets it.
    SNAPSHOT copies what a thing holds into a VolumeSnapshot, RESTORE brings the content of one back into the thing."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    START = "start"
    UNPAUSE = "unpause"
    RESTART = "restart"
    STOP = "stop"
    ADOPT = "adopt"
    SNAPSHOT = "snapshot"
    RESTORE = "restore"


class Step(msgspec.Struct, frozen=True):
    """One step for a driver. It may happen twice: creating again is caught by `owner` (uid, incarnation),
    updating again by its target `spec`, deleting again by `provider_id`.

    `spec` is the kind's typed spec (terrace.model.spec), None for DELETE. `fields` names the spec's fields
    that an UPDATE changes. `handle` is that of the Receipt.pending this step continues, "" at first.
    `attributes` are those last seen of the thing (for a DELETE there may be nothing else to go by).

    A SNAPSHOT names the thing by `owner` and `provider_id`, and by `copy` who owns what is made: another uid than the
    thing's, the same one for the same snapshot, so that it happens once. The receipt's `seen` is the snapshot's (kind
    VolumeSnapshot), not the thing's. A RESTORE names by `source` the provider id of the snapshot whose content replaces
    what the thing holds; the receipt's `seen` is the thing's.
    """

    verb: Verb
    kind: str
    owner: Owner
    names: Names
    spec: Any = None
    provider_id: str = ""
    fields: tuple[str, ...] = ()
    handle: str = ""
    attributes: dict[str, Any] = {}
    copy: Owner | None = None
    source: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """What came of a step. `seen` is what the driver saw afterwards (None after a DELETE: it looked, and the
    thing is gone) and counts as a sighting. `handle` is not "" when the work goes on: apply the same step
    again with that handle after `look_again` seconds; `note` says in a few words how far it is.
    """

    seen: Seen | None = None
    handle: str = ""
    look_again: float = 0.0
    note: str = ""

    @staticmethod
    def done(seen: Seen | None) -> Receipt:
        """The step is complete; `seen` is what is there now (None: nothing)."""
        return Receipt(seen=seen)

    @staticmethod
    def left(note: str) -> Receipt:
        """A DELETE did all that can be done: nothing uses the thing, but the provider keeps it until something
        outside happens, which `note` names. Its record goes; what is still shown is a ghost, reaped when it can be."""
        return Receipt(note=note)

    @staticmethod
    def pending(handle: str, look_again: float = 1.0, note: str = "", seen: Seen | None = None) -> Receipt:
        """The work goes on at the provider under `handle`."""
        return Receipt(seen=seen, handle=handle, look_again=look_again, note=note)
