"""SSH public keys of users."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct

import msgspec

from terrace.errors import NotFoundError, UserError
from terrace.ports.people import People, SshKey
from terrace.services.gate import Actor, Right, Surface, check_name
from terrace.services.people.users import own

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.@-]{0,62}")
TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
LONGEST = 8192


class KeyView(msgspec.Struct, frozen=True):
    """A public key. `created` epoch seconds."""

    name: str
    text: str
    fingerprint: str
    created: float


class Keys:
    """Use cases about the keys of who asks."""

    def __init__(self, on: Surface, people: People) -> None:
        self._on = on
        self._people = people

    async def listing(self, actor: Actor) -> list[KeyView]:
        """Their keys, by name."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
        found = await self._people.users.keys(actor.user) if actor.user else []
        return [KeyView(one.name, one.text, one.fingerprint, one.created) for one in found]

    async def add(self, actor: Actor, name: str, text: str) -> KeyView:
        """One more. UserError for what is no public key; ConflictError when the name is taken."""
        user = await own(self._people, actor)
        check_name("key", name, _NAME)
        plain, fingerprint = parsed(text)
        await self._on.gate.note(actor, "key", "", f"add {name} {fingerprint}")
        key = SshKey(user.id, name, plain, fingerprint, self._on.clock.now())
        await self._people.users.add_key(key)
        return KeyView(name, plain, fingerprint, key.created)

    async def remove(self, actor: Actor, name: str) -> None:
        """Takes one away. NotFoundError."""
        user = await own(self._people, actor)
        await self._on.gate.note(actor, "key", "", f"remove {name}")
        if not await self._people.users.remove_key(user.id, name):
            raise NotFoundError(f'there is no key "{name[:80]}" of yours', hint="terrace key list")


def parsed(text: str) -> tuple[str, str]:
    """A line of a public key file as type, key and comment, and its fingerprint. UserError when it is none: neither
    options nor a second line come in, which would be obeyed where the key is used."""
    words = text.strip().split(None, 2)
    if len(text) > LONGEST or "\n" in text.strip() or len(words) < 2 or words[0] not in TYPES:
        raise _no_key()
    try:
        blob = base64.b64decode(words[1], validate=True)
        (length,) = struct.unpack(">I", blob[:4])
    except (binascii.Error, ValueError, struct.error):
        raise _no_key() from None
    if blob[4 : 4 + length] != words[0].encode() or len(blob) < 4 + length + 20:
        raise _no_key()
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    comment = "".join(char for char in words[2] if char.isprintable())[:200] if len(words) > 2 else ""
    return " ".join([words[0], words[1], comment]).strip(), f"SHA256:{digest}"


def _no_key() -> UserError:
    return UserError(
        "that is no public key for SSH", code="bad-key-text", hint="the one line of ~/.ssh/id_ed25519.pub"
    )
