"""Random strings and numbers without bias, from injected entropy."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TypeVar

from terrace.errors import PermanentError
from terrace.model.spec.simple import RandomStringSpec
from terrace.ports.clock import Entropy

T = TypeVar("T")

CLASSES = {
    "lettersdigits": string.ascii_letters + string.digits,
    "letters": string.ascii_letters,
    "lowercase": string.ascii_lowercase,
    "uppercase": string.ascii_uppercase,
    "digits": string.digits,
    "hexdigits": string.digits + "ABCDEF",
    "octdigits": string.octdigits,
}

POOL = 64


class Dice:
    """Fair choices from entropy bytes: a number that would favour the first items is thrown again."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._pool = b""

    def below(self, sides: int) -> int:
        """A number in [0, sides); `sides` is at least 1."""
        width = max(1, ((sides - 1).bit_length() + 7) // 8)
        limit = 256**width - 256**width % sides
        while True:
            number = int.from_bytes(self._take(width), "big")
            if number < limit:
                return number % sides

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[self.below(len(items))]

    def shuffle(self, items: list[T]) -> None:
        """Every order equally likely (Fisher and Yates)."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]

    def _take(self, count: int) -> bytes:
        if len(self._pool) < count:
            self._pool = self._entropy.bytes(max(POOL, count))
        taken, self._pool = self._pool[:count], self._pool[count:]
        return taken


def random_string(spec: RandomStringSpec, entropy: Entropy) -> str:
    """At least each minimum from its class or sequence, the rest from any of them, in random order.

    PermanentError when a class is not known, a sequence is empty, or the minimums do not fit the length.
    """
    sources = [(set_of(name), least) for name, least in spec.classes]
    sources += [(characters, least) for characters, least in spec.sequences]
    if not sources or any(not characters for characters, _ in sources):
        raise PermanentError("a random string needs characters to choose from")
    if sum(least for _, least in sources) > spec.length:
        raise PermanentError(f"the minimums do not fit into a length of {spec.length}")
    dice = Dice(entropy)
    chosen = [dice.pick(characters) for characters, least in sources for _ in range(least)]
    pools = [characters for characters, _ in sources]
    chosen += [dice.pick(dice.pick(pools)) for _ in range(spec.length - len(chosen))]
    dice.shuffle(chosen)
    return "".join(chosen)


def set_of(name: str) -> str:
    """The characters of a class; PermanentError when there is no such class."""
    characters = CLASSES.get(name)
    if characters is None:
        raise PermanentError(f"no character class is called {name!r}", hint="one of " + ", ".join(CLASSES))
    return characters
