"""Evaluation of properties: references and calls become values, as far as these are known.

Rules (engine.md, "Values"): a call with an unknown argument is unknown; a call with a secret argument is
secret; every call spends fuel, counted in steps and bytes, never in time. `if`, `and` and `or` look only at the
arguments that they need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from terrace.engine.functions import FUNCTIONS
from terrace.engine.functions.logic import truth
from terrace.engine.functions.trees import step
from terrace.errors import InvariantError, SpecError
from terrace.model.value import ASIDE, EXPORTS, UNKNOWN, Call, Ref, Secret, holds

Lookup = Callable[[Ref], Any]
Inputs = Callable[[tuple[Any, ...]], Any]

ELIDED: Final = object()
"""What an `if` without an else gives when its condition does not hold: the item, key or property that it stands for
is as if it were not there. It never leaves `evaluate`."""

MAX_STEPS = 1_000_000
MAX_BYTES = 16 * 1024 * 1024


class Fuel:
    """What one evaluation may spend: `steps` of work and `size` bytes of results."""

    __slots__ = ("size", "steps")

    def __init__(self, steps: int = MAX_STEPS, size: int = MAX_BYTES) -> None:
        self.steps = steps
        self.size = size

    def spend(self, steps: int, size: int = 0) -> None:
        """Takes from the tank; SpecError when it is empty."""
        self.steps -= steps
        self.size -= size
        if self.steps < 0 or self.size < 0:
            raise SpecError(
                "an expression does too much work or makes too large a result",
                code="limit-reached",
                hint="split it, or make what it works on smaller",
            )


def evaluate(value: Any, lookup: Lookup, inputs: Inputs, fuel: Fuel | None = None) -> Any:
    """`value` with every expression replaced by what it stands for.

    `lookup` gives the value of a Ref (UNKNOWN when it is not known yet), `inputs` that of a composite's own
    input, called with (composite path, name, *path). Raises SpecError when a function does not like its
    arguments or the fuel is used up.
    """
    try:
        result = _Evaluation(lookup, inputs, fuel or Fuel()).run(value)
    except RecursionError as error:
        raise SpecError(
            "an expression, or what it works on, is nested too deep", code="limit-reached"
        ) from error
    return None if result is ELIDED else result


class _Evaluation:
    __slots__ = ("elided", "fuel", "inputs", "lookup")

    def __init__(self, lookup: Lookup, inputs: Inputs, fuel: Fuel) -> None:
        self.lookup = lookup
        self.inputs = inputs
        self.fuel = fuel
        self.elided = False

    def run(self, value: Any) -> Any:
        kind = type(value)
        if kind is str or kind is int or value is None or kind is bool:
            return value
        if kind is dict:
            found = {key: self.run(item) for key, item in value.items()}
            return without_elided(found) if self.elided else found
        if kind is list or kind is tuple:
            items = [self.run(item) for item in value]
            return without_elided(items) if self.elided else items
        if kind is Ref:
            return self.lookup(
                Ref(value.node, tuple(self.run(item) for item in value.path)) if value.path else value
            )
        if kind is Call:
            return self.call(value)
        return value

    def call(self, call: Call) -> Any:
        self.fuel.spend(1)
        if call.function == "if":
            return self.choose(call.args)
        if call.function in ("and", "or"):
            return self.join(call.args, decides=call.function == "or")
        args = [self.run(arg) for arg in call.args]
        if self.elided:
            args = [None if arg is ELIDED else arg for arg in args]
        if call.function in ("input", "export", ASIDE):
            return self.read(call.function, args)
        function = FUNCTIONS.get(call.function)
        if function is None:
            raise InvariantError(f"no function {call.function!r}")
        secret = False
        for index, arg in enumerate(args):
            kind = type(arg)
            if arg is UNKNOWN:
                return UNKNOWN
            if kind is dict or kind is list or kind is Secret:
                if holds(arg, type(UNKNOWN)):
                    return UNKNOWN
                if holds(arg, Secret):
                    secret = True
                    args[index] = reveal(arg)
        result = function(args, self.fuel)
        return Secret(result) if secret else result

    def read(self, function: str, args: list[Any]) -> Any:
        """What is read and not worked out, whether it is known or not."""
        if function == "input":
            return self.inputs(tuple(args))
        return args[0] if function == ASIDE else self.lookup(Ref(EXPORTS, tuple(args)))

    def choose(self, args: tuple[Any, ...]) -> Any:
        """(condition, value, other): the one that the condition says; without the other nothing."""
        condition = self.run(args[0])
        if condition is UNKNOWN:
            return UNKNOWN
        secret = type(condition) is Secret
        if truth(condition.reveal() if secret else condition):
            value = self.run(args[1])
        elif len(args) > 2:
            value = self.run(args[2])
        else:
            self.elided = True
            return ELIDED
        if not secret or value is ELIDED:
            return value
        return UNKNOWN if holds(value, type(UNKNOWN)) else Secret(reveal(value))

    def join(self, args: tuple[Any, ...], *, decides: bool) -> Any:
        """Conditions joined: one that is as `decides` says settles it, whatever the others are."""
        unknown = secret = False
        for arg in args:
            condition = self.run(arg)
            if condition is UNKNOWN:
                unknown = True
                continue
            secret = secret or type(condition) is Secret
            if truth(reveal(condition)) is decides:
                return Secret(decides) if secret else decides
        if unknown:
            return UNKNOWN
        return Secret(not decides) if secret else not decides


def without_elided(value: Any) -> Any:
    """A map or list without what an `if` took out of it."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not ELIDED}
    return [item for item in value if item is not ELIDED]


def reveal(value: Any) -> Any:
    """`value` with every Secret inside replaced by what it hides."""
    kind = type(value)
    if kind is Secret:
        return reveal(value.reveal())
    if kind is dict:
        return {key: reveal(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [reveal(item) for item in value]
    return value


def follow(value: Any, path: tuple[Any, ...]) -> Any:
    """The part of `value` that `path` leads to as get_param does it: a number written as text is an index of a
    list, and '' where it leads nowhere. UNKNOWN and secrets pass through."""
    for key in path:
        if value is UNKNOWN or key is UNKNOWN:
            return UNKNOWN
        if type(value) is Secret or type(key) is Secret:
            value = Secret(step(reveal(value), reveal(key)))
        else:
            value = step(value, key)
    return value


def walk(value: Any, path: tuple[Any, ...]) -> Any:
    """The part of `value` that `path` leads to; None where it leads nowhere (hot.md: get_attr with a bad
    path gives None, and so does a text as index of a list). UNKNOWN and secrets pass through."""
    for key in path:
        if value is UNKNOWN or key is UNKNOWN:
            return UNKNOWN
        if type(value) is Secret:
            return Secret(walk(value.reveal(), (key,)))
        if isinstance(value, dict):
            value = value.get(key, value.get(str(key)))
        elif isinstance(value, list | tuple) and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value
