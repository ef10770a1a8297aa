"""When things are tried again."""

from __future__ import annotations

import pytest

from terrace.engine import retry
from terrace.errors import CapabilityError, PermanentError, SpecError, TerraceError, TransientError
from terrace.model.record import Record

RECORD = Record(path="a", kind="Machine", uid="u", received=100.0)


def test_back_off_grows_to_its_cap_and_is_spread() -> None:
    waits = [retry.delay(attempt, 0.5) for attempt in range(1, 30)]
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(waits) == retry.CAP
    assert retry.delay(3, 0.0) < retry.delay(3, 0.99)


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (TransientError("busy"), False),
        (PermanentError("no"), True),
        (CapabilityError("cannot"), True),
        (SpecError("wrong"), True),
    ],
)
def test_the_type_alone_decides(error: TerraceError, permanent: bool) -> None:
    fault = retry.fault(error, RECORD, 1000.0, 0.5)
    assert fault.permanent is permanent
    assert fault.retry_at == 1000.0 + (retry.PERMANENT if permanent else 1.0)


def test_a_provider_that_names_a_time_is_given_it() -> None:
    assert retry.fault(TransientError("busy", retry_after=90.0), RECORD, 0.0, 0.0).retry_at == 90.0


def test_a_machine_that_ran_for_a_minute_begins_anew() -> None:
    once = retry.exits(RECORD, 110.0)
    record = Record(path="a", kind="Machine", uid="u", received=110.0, exits=(*once, 111.0))
    assert len(retry.exits(record, 120.0)) == 3
    assert retry.exits(record, 110.0 + retry.LOOP_WINDOW + 5) == (175.0,)
    assert retry.loop_delay(2) == 0.0
    assert 0 < retry.loop_delay(3) < retry.loop_delay(4) <= retry.CAP
