"""When to try again: exponential back-off with jitter for passing trouble, a long wait after a no."""

from __future__ import annotations

from terrace.errors import PermanentError, TerraceError, TransientError, UserError
from terrace.model.record import Fault, Record

FIRST = 1.0
CAP = 300.0
PERMANENT = 600.0
LOOP_WINDOW = 60.0
LOOP_EXITS = 3


def delay(attempts: int, jitter: float) -> float:
    """Seconds to wait after the `attempts`-th failure in a row; `jitter` in [0, 1) spreads it by up to a half."""
    return float(min(CAP, FIRST * 2 ** min(attempts - 1, 20)) * (0.75 + jitter / 2))


def fault(error: TerraceError, record: Record, now: float, jitter: float) -> Fault:
    """What to remember of `error` and when to try again. The type alone decides."""
    attempts = record.fault.attempts + 1 if record.fault else 1
    permanent = isinstance(error, UserError | PermanentError) or not isinstance(error, TransientError)
    wait = PERMANENT if permanent else delay(attempts, jitter)
    if isinstance(error, TransientError) and error.retry_after is not None:
        wait = max(wait, error.retry_after)
    return Fault(
        message=error.message,
        code=error.code,
        hint=error.hint,
        permanent=permanent,
        attempts=attempts,
        retry_at=now + wait,
    )


def exits(record: Record, finished: float) -> tuple[float, ...]:
    """The exits in a row, one more. A machine that ran for LOOP_WINDOW seconds since its last start begins anew."""
    if record.exits and finished - max(record.received, record.exits[-1]) < LOOP_WINDOW:
        return (*record.exits[-15:], finished)
    return (finished,)


def loop_delay(exits_in_row: int) -> float:
    """Seconds to wait before the next start; from the third exit in a row on it grows."""
    if exits_in_row < LOOP_EXITS:
        return 0.0
    return float(min(CAP, 5.0 * 2 ** (exits_in_row - LOOP_EXITS)))
