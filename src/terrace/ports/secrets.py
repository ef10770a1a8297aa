"""Sealing of secrets with a key outside the database: data keys, wrapped by master keys, and their rotation."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Secrets(Protocol):
    """Encrypts, decrypts and compares secrets."""

    def seal(self, data: bytes) -> bytes:
        """`data` encrypted and authenticated."""

    def unseal(self, data: bytes) -> bytes:
        """What was sealed; InvariantError when it was tampered with or the key is another."""

    def digest(self, data: bytes) -> str:
        """A keyed digest: equal for equal secrets, useless without the key."""


class Master(msgspec.Struct, frozen=True):
    """A master key. `here`: it is in this server's key file; `newest`: what is new is wrapped by it; `wraps`: how many
    data keys it wraps; `needed` says for what it is needed still ("" when it can be thrown away)."""

    id: str
    here: bool
    newest: bool
    wraps: int
    needed: str


class Rotation(msgspec.Struct, frozen=True):
    """Sealing everything anew, with the data key `id`. Times in epoch seconds; `begins` is from when on new values are
    sealed with it; `finished` 0: not yet. `sealed`: how many rows were written anew."""

    id: str
    started: float
    begins: float
    finished: float
    sealed: int


class KeyStatus(msgspec.Struct, frozen=True):
    """All master keys, oldest first, how many data keys there are, and the last rotation (None: there was none).
    `file`: where this server has its master keys."""

    masters: tuple[Master, ...]
    data_keys: int
    rotation: Rotation | None
    file: str


class Keys(Protocol):
    """Rotation of keys. Nothing is down meanwhile, and no digest changes by it."""

    async def status(self) -> KeyStatus:
        """How the keys stand."""

    async def rotate(self, delay: float = 0.0) -> KeyStatus:
        """A new master key in this server's file, every data key wrapped by it, and a new data key for what is written
        from `delay` seconds on (others must have read it by then). ConflictError while another rotation is not
        finished, or when the file cannot be written."""

    async def step(self) -> bool:
        """Seals a bounded number of old values anew; whether there may be more. Taken up where it ended, also by
        another server."""

    async def forget(self, master: str) -> KeyStatus:
        """Takes an old master key out of the database and of this server's file, and the data keys that nothing is
        sealed with any more. NotFoundError; ConflictError while it is needed."""

    async def refresh(self) -> None:
        """Reads the data keys that others have made."""
