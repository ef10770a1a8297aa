"""Saved plans: what was planned, sealed with all that it needs, to be applied exactly so or not at all."""

from __future__ import annotations

import base64
import zlib
from hashlib import blake2b
from typing import Any

import msgspec

from terrace.errors import ConflictError, InvariantError, UserError
from terrace.model.codec import Codec
from terrace.model.plan import Plan
from terrace.model.stack import Source
from terrace.model.value import Secret, Unknown
from terrace.ports.secrets import Secrets
from terrace.services.admission import Wish
from terrace.services.gate import Where

LARGEST = 256 * 1024 * 1024
"""Bytes that a sealed plan may unfold to."""


class Saved(msgspec.Struct, frozen=True):
    """A plan of `where` that somebody keeps: the wish that it was made of, which holds the digest of the plan."""

    where: Where
    wish: Wish


class Seal:
    """Makes digests of plans, and sealed plans. Sealing hides the sources, in which secrets may stand, from
    whoever reads the file; and what was tampered with cannot be opened."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._codec = Codec(secrets.seal, secrets.unseal)

    def digest(self, plan: Plan, source: Source) -> str:
        """Equal for equal plans of equal sources against the same generation. Keyed, so that nothing can be guessed
        from it."""
        parts = msgspec.json.encode((plan, source), enc_hook=self._masked, order="deterministic")
        return self._secrets.digest(blake2b(parts, digest_size=32).digest())

    def close(self, where: Where, wish: Wish, digest: str) -> str:
        """The sealed plan, as text."""
        saved = Saved(where, msgspec.structs.replace(wish, plan=digest))
        packed = zlib.compress(self._codec.encode(saved), 6)
        return base64.b64encode(self._secrets.seal(packed)).decode()

    def open(self, text: str, where: Where) -> Wish:
        """What was sealed. UserError when it is no plan of this server, or of another stack."""
        try:
            packed = self._secrets.unseal(base64.b64decode(text, validate=True))
            unpacking = zlib.decompressobj()
            plain = unpacking.decompress(packed, LARGEST)
            saved = self._codec.decode(plain, Saved)
        except (ValueError, InvariantError, zlib.error, msgspec.DecodeError) as error:
            raise _unknown() from error
        if saved.where.project != where.project:
            raise _unknown()
        if saved.where != where:
            raise UserError(
                f'the plan is of stack "{saved.where.stack}" in project "{saved.where.project}"',
                code="plan-of-another-stack",
                hint=f"terrace up --plan FILE -s {saved.where.stack}",
            )
        return saved.wish

    def _masked(self, value: Any) -> Any:
        if isinstance(value, Secret):
            return {"secret": self._secrets.digest(msgspec.json.encode(value.reveal()))}
        if isinstance(value, Unknown):
            return {"unknown": True}
        return str(value)


def _unknown() -> UserError:
    """Also for a plan of another project: whoever holds its file need not be told whose it is."""
    return UserError(
        "this is no plan that this server saved for this project",
        code="invalid-plan",
        hint="a plan is applied on the server and in the project it was made in: terrace plan TEMPLATE --out FILE",
    )


def moved(planned: str, now: str, stack: str) -> None:
    """ConflictError unless the plan, made anew, is the one that was agreed to."""
    if planned and planned != now:
        raise ConflictError(
            f'stack "{stack}" or what it stands on has changed since it was planned: the plan is no longer true',
            code="plan-outdated",
            hint="plan again, look, and apply the new plan",
        )
