"""Passwords: kept as argon2id hashes, checked in a thread, and never one faster than another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from terrace.errors import UserError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 512
AT_ONCE = 2
"""Hashes that are worked out at the same time; each takes MEMORY KiB for as long."""
MEMORY, ROUNDS, LANES = 19_456, 2, 1
"""What OWASP asks of argon2id at least: strong enough, and small enough for a small server."""


class Passwords:
    """Makes hashes and checks them."""

    def __init__(self, memory: int = MEMORY, rounds: int = ROUNDS) -> None:
        self._cost = (rounds, memory)
        self._hasher: PasswordHasher | None = None
        self._nobody = ""
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """What is kept of a new password. UserError when it is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise UserError(
                f"a password has from {SHORTEST} to {LONGEST} characters, not {len(password)}",
                code="bad-password",
                hint="several words in a row are long, and easy to keep in mind",
            )
        async with self._turn:
            return await asyncio.to_thread(self._maker().hash, password)

    async def fits(self, kept: str, password: str) -> bool:
        """Whether the password is the one that `kept` is the hash of. For "" (there is nobody, or they have none)
        it takes as long, and is False."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        maker = self._maker()
        async with self._turn:
            if not kept and not self._nobody:
                self._nobody = await asyncio.to_thread(maker.hash, "the password of nobody")
            try:
                await asyncio.to_thread(maker.verify, kept or self._nobody, password[: LONGEST + 1])
            except (Argon2Error, InvalidHashError):
                return False
            return bool(kept)

    def _maker(self) -> PasswordHasher:
        if self._hasher is None:
            from argon2 import PasswordHasher  # late: most servers check passwords seldom, many never

            rounds, memory = self._cost
            self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=LANES)
        return self._hasher
