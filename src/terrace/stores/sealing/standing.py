"""How keys stand, and what may be done with them: the same for every store."""

from __future__ import annotations

from collections.abc import Sequence

from terrace.errors import ConflictError, NotFoundError
from terrace.ports.secrets import KeyStatus, Master, Rotation
from terrace.stores.sealing.envelope import DataKey
from terrace.stores.sealing.keyfile import KeyFile


def status_of(keys: Sequence[DataKey], here: KeyFile, rotation: Rotation | None) -> KeyStatus:
    """How the keys stand, with the master keys of the file that is `here`."""
    names = list(dict.fromkeys([*(name for key in keys for name in key.wrapped), *here.names]))
    names.sort(key=lambda name: here.names.index(name) if name in here.names else -1)
    masters = tuple(_master(name, keys, here.names, rotation) for name in names)
    return KeyStatus(masters, len(keys), rotation, here.path)


def _master(name: str, keys: Sequence[DataKey], here: Sequence[str], rotation: Rotation | None) -> Master:
    newest = name == here[-1]
    wraps = sum(name in key.wrapped for key in keys)
    needed = ""
    if newest:
        needed = "it is the newest"
    elif rotation is None:
        needed = "nothing was sealed anew yet"
    elif not rotation.finished:
        needed = "not everything is sealed anew yet"
    elif any(key.wrapped.keys() == {name} for key in keys):
        needed = "a data key is wrapped by no other"
    return Master(name, name in here, newest, wraps, needed)


def check_idle(status: KeyStatus) -> None:
    """ConflictError while a rotation is not finished."""
    if status.rotation is not None and not status.rotation.finished:
        raise ConflictError(
            "the keys are being rotated already",
            code="rotation-under-way",
            hint="see how far it is: terrace secret keys",
        )


def spare(status: KeyStatus, master: str) -> Master:
    """A master key that can be thrown away. NotFoundError; ConflictError while it is needed."""
    found = next((one for one in status.masters if one.id == master), None)
    if found is None:
        raise NotFoundError(f'there is no master key "{master[:20]}"', hint="terrace secret keys")
    if found.needed:
        raise ConflictError(
            f"master key {master} is needed: {found.needed}",
            code="key-in-use",
            hint="terrace secret keys says how far it is; terrace secret rotate-key makes a newer one",
        )
    return found


def next_number(keys: Sequence[DataKey]) -> int:
    """The number of the next data key."""
    return 1 + max(int(key.id, 16) for key in keys)
