"""Key pairs for ssh."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from terrace.errors import PermanentError
from terrace.model.spec.simple import KeyPairSpec
from terrace.model.value import Secret
from terrace.ports.clock import Entropy

ALGORITHMS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


def key_pair(spec: KeyPairSpec, entropy: Entropy) -> dict[str, Any]:
    """The attributes: of the public key given (PermanentError when it is none), or of a new ed25519 pair."""
    if spec.public_key:
        public, private = spec.public_key.strip(), ""
        fingerprint = fingerprint_of(public)
    else:
        public, private = _new_pair(spec.name, entropy)
        fingerprint = fingerprint_of(public)
    return {
        "name": spec.name,
        "public_key": public,
        "private_key": Secret(private) if private else "",
        "fingerprint": fingerprint,
    }


def fingerprint_of(public: str) -> str:
    """SHA256:... as ssh-keygen shows it; PermanentError unless `public` is "algorithm base64 comment"."""
    words = public.split(None, 2)
    if "\n" in public or len(words) < 2 or words[0] not in ALGORITHMS:
        raise PermanentError(
            "the public key is not one line of an OpenSSH public key",
            hint='it begins like "ssh-ed25519 AAAA"',
        )
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        raise PermanentError("the public key's second word is not base64") from None
    name = words[0].encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise PermanentError(f"the public key says {words[0]} but holds something else")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _new_pair(name: str, entropy: Entropy) -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(entropy.bytes(32))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{public.decode()} {name}", private.decode()
