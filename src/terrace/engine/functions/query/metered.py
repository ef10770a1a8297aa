"""What limits an expression of yaql, and the context in which each call of a function costs fuel."""

from __future__ import annotations

from typing import Any

from yaql.language import contexts, utils

from terrace.engine.functions.tank import Tank

MOST_ITERATIONS = 200
MOST_BYTES = 10_000
STEP = 150
"""What one call of a function costs: the library does much for each."""


class Metered(contexts.Context):  # type: ignore[misc]
    """A context in which each call of a function costs fuel. The library makes contexts below it by itself."""

    def __init__(
        self, parent_context: Any = None, data: Any = utils.NO_VALUE, convention: Any = None
    ) -> None:
        super().__init__(parent_context, data, convention)
        self.tank: Tank | None = getattr(parent_context, "tank", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.pay(STEP)
        return super().__call__(*args, **kwargs)

    def pay(self, steps: int) -> None:
        """Takes `steps` from the tank; SpecError when it is empty."""
        if self.tank is not None:
            self.tank.spend(steps)
