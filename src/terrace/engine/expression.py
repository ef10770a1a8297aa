"""Evaluation of properties: references and calls become values, as far as these are known.

Rules (engine.md, "Values"): a call with an unknown argument is unknown; a call with a secret argument is
secret; every call spends fuel, counted in steps and bytes, never in time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from terrace.engine.functions import FUNCTIONS
from terrace.errors import InvariantError, SpecError
from terrace.model.value import EXPORTS, UNKNOWN, Call, Ref, Secret, holds

Lookup = Callable[[Ref], Any]
Inputs = Callable[[tuple[Any, ...]], Any]

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
    return _Evaluation(lookup, inputs, fuel or Fuel()).run(value)


class _Evaluation:
    __slots__ = ("fuel", "inputs", "lookup")

    def __init__(self, lookup: Lookup, inputs: Inputs, fuel: Fuel) -> None:
        self.lookup = lookup
        self.inputs = inputs
        self.fuel = fuel

    def run(self, value: Any) -> Any:
        kind = type(value)
        if kind is str or kind is int or value is None or kind is bool:
            return value
        if kind is dict:
            return {key: self.run(item) for key, item in value.items()}
        if kind is list or kind is tuple:
            return [self.run(item) for item in value]
        if kind is Ref:
            return self.lookup(
                Ref(value.node, tuple(self.run(item) for item in value.path)) if value.path else value
            )
        if kind is Call:
            return self.call(value)
        return value

    def call(self, call: Call) -> Any:
        self.fuel.spend(1)
        args = [self.run(arg) for arg in call.args]
        if call.function == "input":
            return self.inputs(tuple(args))
        if call.function == "export":
            return self.lookup(Ref(EXPORTS, tuple(args)))
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
