"""Sizes and durations as people write them."""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

_NUMBER: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")
_MIB: Final = {"": 1.0, "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0 * 1024}
_SECONDS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def size(value: object) -> int | None:
    """MiB (rounded up) in a number of MiB or a text such as 512M, 2G, 1.5GiB; None when it is not a size."""
    amount = _amount(value, _MIB, shorten=True)
    return None if amount is None else -int(-amount // 1)


def duration(value: object) -> float | None:
    """Seconds in a number of seconds or a text such as 500ms, 30s, 5m, 1h; None when it is not a duration."""
    return _amount(value, _SECONDS, shorten=False)


def _amount(value: object, units: dict[str, float], *, shorten: bool) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if isfinite(value) and value >= 0 else None
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    unit = match[2].lower()
    if shorten and len(unit) > 1:
        unit = unit.removesuffix("b").removesuffix("i")
    factor = units.get(unit)
    return None if factor is None else float(match[1]) * factor
