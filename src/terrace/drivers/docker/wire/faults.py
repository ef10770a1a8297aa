"""What the engine's refusals mean: whose fault, and whether to try again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from terrace.errors import PermanentError, ProviderError, TransientError


class Refusal(Exception):
    """The engine answered with an error: `status` of HTTP, `message` in its words, on one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = one_line(message)


def one_line(text: str) -> str:
    """`text` without line breaks and doubled blanks, at most 300 characters."""
    joined = " ".join(text.split())
    return joined if len(joined) <= 300 else joined[:297] + "..."


class _Rule(msgspec.Struct, frozen=True):
    words: tuple[str, ...]
    transient: bool
    code: str
    hint: str = ""


# The first rule of which any word stands in the engine's message counts.
_RULES = (
    _Rule(
        ("no space left on device", "disk quota exceeded"),
        True,
        "disk-full",
        "the engine's disk is full: free some space (docker system df); it goes on by itself",
    ),
    _Rule(
        ("port is already allocated", "address already in use\n", "bind: address already in use"),
        True,
        "port-taken",
        "something else holds that port of the host: free it, or publish another one",
    ),
    _Rule(
        (
            "toomanyrequests",
            "tls handshake timeout",
            "i/o timeout",
            "connection refused",
            "no such host",
            "dial tcp",
            "connection reset",
            "temporary failure in name resolution",
            "context deadline exceeded",
            "client.timeout exceeded",
            "unexpected eof",
        ),
        True,
        "provider-unavailable",
    ),
    _Rule(
        (
            "no such image",
            "manifest unknown",
            "manifest for",
            "pull access denied",
            "repository does not exist",
            "not found: manifest",
            "name unknown",
        ),
        False,
        "image-not-found",
        "check the image's name and tag; a private registry needs [providers.NAME.registries]",
    ),
    _Rule(
        ("unauthorized", "authentication required", "incorrect username or password"),
        False,
        "registry-refused",
        "set the registry's user and password_file in the provider's settings",
    ),
    _Rule(
        (
            "executable file not found",
            "no such file or directory: unknown",
            "permission denied: unknown",
            "exec format error",
        ),
        False,
        "command-not-found",
        "the image cannot run that command: check the machine's command and image",
    ),
    _Rule(("minimum memory limit",), False, "provider-refused", "give the machine more memory"),
    _Rule(
        ("does not belong to any of this network",),
        False,
        "address-outside",
        "choose an address inside the network's cidr",
    ),
    _Rule(
        ("pool overlaps", "networks have overlapping"),
        False,
        "address-range-taken",
        "another network of the engine holds that range: choose another cidr",
    ),
)


def translate(refusal: Refusal) -> ProviderError:
    """The error that the rest of Terrace understands, in the engine's words."""
    words = refusal.message.lower()
    for rule in _RULES:
        if any(word in words for word in rule.words):
            kind = TransientError if rule.transient else PermanentError
            return kind(refusal.message, hint=rule.hint, code=rule.code)
    if refusal.status in (400, 401, 403, 405, 406, 413, 422, 501) and "endpoint" not in words:
        return PermanentError(refusal.message)
    return TransientError(
        refusal.message, code="provider-busy" if refusal.status == 409 else "provider-error"
    )


@contextmanager
def translated() -> Iterator[None]:
    """Lets no Refusal out: it becomes a ProviderError."""
    try:
        yield
    except Refusal as refusal:
        raise translate(refusal) from refusal
