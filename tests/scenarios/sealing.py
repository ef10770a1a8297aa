"""Secrets for simulations: sealed enough to be told apart from plain data, and the same in every run."""

from __future__ import annotations

import hashlib

SEAL = b"sealed:"


class PlainSecrets:
    """ports.Secrets without a key."""

    def seal(self, data: bytes) -> bytes:
        return SEAL + data[::-1]

    def unseal(self, data: bytes) -> bytes:
        assert data.startswith(SEAL)
        return data[len(SEAL) :][::-1]

    def digest(self, data: bytes) -> str:
        return hashlib.blake2b(data, digest_size=16, key=b"simulation").hexdigest()
