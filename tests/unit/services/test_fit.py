"""What is wrong with the settings as a whole is told before anything is started."""

from __future__ import annotations

import pytest

from terrace.errors import DocumentError
from terrace.main import build_drivers
from terrace.runtime.system import SystemClock, SystemEntropy
from terrace.services.settings import Surroundings, parse

SIM = '[providers.pretended]\ndriver = "sim"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [(f'[tuning]\nlease = "6s"\n{SIM}', 3), (f"{SIM}timeout = 29\n", 3)],
    ids=["short lease", "long request"],
)
def test_a_request_has_to_fit_into_a_lease(text: str, line: int) -> None:
    settings = parse(text, "server.toml", Surroundings({"HOME": "/home/ann"}, lambda path: False))
    with pytest.raises(DocumentError) as caught:
        build_drivers(settings, SystemClock(), SystemEntropy())
    (problem,) = caught.value.problems
    assert "the lease covers" in problem.message
    assert problem.line == line
