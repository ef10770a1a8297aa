from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.people.slapd import Slapd


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Slapd]:
    """A directory with people in it."""
    found = Slapd(tmp_path / "slapd")
    found.start()
    try:
        found.fill()
        yield found
    finally:
        found.stop()
