"""Sealing of secrets with a key outside the database."""

from __future__ import annotations

from typing import Protocol


class Secrets(Protocol):
    """Encrypts, decrypts and compares secrets."""

    def seal(self, data: bytes) -> bytes:
        """`data` encrypted and authenticated."""

    def unseal(self, data: bytes) -> bytes:
        """What was sealed; InvariantError when it was tampered with or the key is another."""

    def digest(self, data: bytes) -> str:
        """A keyed digest: equal for equal secrets, useless without the key."""
