"""Kinds with few fields: images, and what Terrace itself makes."""

from __future__ import annotations

from typing import Any

import msgspec


class ImageSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something machines start from. `source` is "recipe:NAME", a reference of the provider, or the address (URL) of an
    archive; `format` is what kind of file that is, "" where it is known. `pull` is
    missing (only when it is not there), always, or never. `certificates`: trust the host's extra
    certificate authorities (recipes)."""

    source: str
    pull: str = "missing"
    certificates: bool = True
    format: str = ""


class KeyPairSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key for ssh. With `public_key` it is taken as given, without one a pair is made."""

    name: str
    public_key: str = ""


class RandomStringSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A random string, made once. `classes` are (name, minimum) of character classes, `sequences`
    (characters, minimum); `salt` only changes to ask for a new one."""

    length: int = 32
    classes: tuple[tuple[str, int], ...] = (("lettersdigits", 1),)
    sequences: tuple[tuple[str, int], ...] = ()
    salt: str = ""


class ValueSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value worked out once and referred to often."""

    value: Any = None
    type: str = ""


class NoneSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nothing; takes any properties, to disable a resource through an environment."""

    properties: dict[str, Any] = {}


class DelaySpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pause. Seconds: `minimum` always, and up to `jitter` x `multiplier` more, chosen once per
    incarnation. `actions` of CREATE, UPDATE, DELETE."""

    minimum: float = 0.0
    jitter: float = 0.0
    multiplier: float = 1.0
    actions: tuple[str, ...] = ("CREATE",)


class TestResourceSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A resource that fails, waits or needs replacement on demand. `waits`: seconds by action (create,
    update, delete). `transient`: what `fail` asks for is passing trouble."""

    __test__ = False

    value: Any = None
    fail: bool = False
    transient: bool = False
    replace: Any = None
    waits: dict[str, float] = {}
    attributes: dict[str, Any] = {}
