"""Sealing with data keys. They lie in the database, each wrapped by master keys, which do not; unwrapped they are
kept in memory. A sealed value is: version (1 byte), id of the data key (4), nonce (12), ciphertext with its tag.
Values of earlier versions were sealed by a master key itself: the first byte tells them apart."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from terrace.errors import InvariantError
from terrace.ports.clock import Clock
from terrace.stores.sealing.keyfile import KeyFile

SEAL, DIGEST = "seal", "digest"
"""What a data key is for."""
_BY_MASTER, _VERSION = b"\x01", b"\x02"
_ID, _NONCE = 4, 12
_HEAD = len(_VERSION) + _ID


class DataKey(msgspec.Struct, frozen=True):
    """A data key as the database has it: what for, from when on values are sealed with it (epoch seconds), and as each
    master key (by id) wraps it."""

    id: str
    purpose: str
    created: float
    begins: float
    wrapped: dict[str, bytes]


class Envelope:
    """Implements ports.Secrets once it has been given the data keys (`take`)."""

    def __init__(self, masters: KeyFile, clock: Clock) -> None:
        self.masters = masters
        self._clock = clock
        self._texts: dict[str, bytes] = {}
        self._ciphers: dict[bytes, Any] = {}
        self._begins: list[tuple[float, bytes]] = []
        self._current = b""
        self._next = 0.0
        self._digest_key = b""
        self._unknown = False

    # ---- ports.Secrets

    def seal(self, data: bytes) -> bytes:
        """`data` encrypted and authenticated with the data key that counts now."""
        if not self._current or self._clock.now() >= self._next:
            self._turn()
        head, nonce = _VERSION + self._current, os.urandom(_NONCE)
        return head + nonce + bytes(self._ciphers[self._current].encrypt(nonce, data, head))

    def unseal(self, data: bytes) -> bytes:
        """What was sealed; InvariantError when it was tampered with or its key is not known."""
        from cryptography.exceptions import InvalidTag

        head, nonce = data[:_HEAD], data[_HEAD : _HEAD + _NONCE]
        if head[:1] == _BY_MASTER:
            return self.masters.unseal(data)
        if head[:1] != _VERSION or len(nonce) != _NONCE:
            raise InvariantError("a sealed value has a form that is not known")
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            self._unknown = True
            raise InvariantError(
                f"a value was sealed with data key {head[1:].hex()}, which is not known here"
            )
        try:
            return bytes(cipher.decrypt(nonce, data[_HEAD + _NONCE :], head))
        except InvalidTag as error:
            raise InvariantError("a sealed value was changed after it was sealed") from error

    def digest(self, data: bytes) -> str:
        """HMAC-SHA256, hexadecimal: the same for the same data for as long as the database lives."""
        if not self._digest_key:
            raise InvariantError("the data keys have not been read yet")
        return hmac.new(self._digest_key, data, sha256).hexdigest()

    # ---- keys

    @property
    def lacks(self) -> bool:
        """Whether a value came by whose data key is not known here: they are to be read again."""
        return self._unknown

    @property
    def current(self) -> str:
        """The id of the data key that values are sealed with now."""
        self._turn()
        return self._current.hex()

    def make(
        self, number: int, purpose: str, text: bytes = b"", *, now: float, delay: float = 0.0
    ) -> DataKey:
        """A new data key, wrapped by every master key here. `text`: what it is (else made up)."""
        name = f"{number:08x}"
        text = text or os.urandom(32)
        wrapped = {
            master: self.masters.wrap(master, text, context(name, purpose)) for master in self.masters.names
        }
        return DataKey(name, purpose, now, now + delay, wrapped)

    def wrap_again(self, key: DataKey) -> dict[str, bytes]:
        """The data key under each master key here that does not wrap it yet, by their ids."""
        missing = [master for master in self.masters.names if master not in key.wrapped]
        text = self._texts[key.id] if missing else b""
        return {master: self.masters.wrap(master, text, context(key.id, key.purpose)) for master in missing}

    def take(self, keys: Iterable[DataKey]) -> None:
        """Learns the data keys of the database. InvariantError when one is wrapped by no master key that is here."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        found = list(keys)
        self._texts = {key.id: self._unwrapped(key) for key in found}
        sealing = [key for key in found if key.purpose == SEAL]
        self._ciphers = {bytes.fromhex(key.id): AESGCM(self._texts[key.id]) for key in sealing}
        self._begins = sorted((key.begins, bytes.fromhex(key.id)) for key in sealing)
        self._digest_key = next(self._texts[key.id] for key in found if key.purpose == DIGEST)
        self._unknown = False
        self._turn()

    def outdated(self) -> tuple[bytes, ...]:
        """With what a value begins that is not sealed with the data key that counts now."""
        self._turn()
        old = [_VERSION + name for name in self._ciphers if name != self._current]
        return (*old, *(_BY_MASTER + bytes.fromhex(name) for name in self.masters.names))

    def _turn(self) -> None:
        """Finds the data key that counts now, and when the next one begins."""
        if not self._begins:
            raise InvariantError("the data keys have not been read yet")
        now = self._clock.now()
        begun = [name for begins, name in self._begins if begins <= now] or [self._begins[0][1]]
        self._current = begun[-1]
        self._next = min((begins for begins, _ in self._begins if begins > now), default=float("inf"))

    def _unwrapped(self, key: DataKey) -> bytes:
        here = [master for master in key.wrapped if master in self.masters.names]
        if not here:
            self.masters.reload()
            here = [master for master in key.wrapped if master in self.masters.names]
        if not here:
            raise InvariantError(
                f"data key {key.id} is wrapped by master key {' and '.join(sorted(key.wrapped))},"
                f" which is not in {self.masters.path}",
                hint="Put the key file there that belongs to this database, or its copy from another server.",
            )
        return self.masters.unwrap(here[-1], key.wrapped[here[-1]], context(key.id, key.purpose))


def context(name: str, purpose: str) -> bytes:
    """What a wrapped key is bound to."""
    return f"terrace {purpose} key {name}".encode()
