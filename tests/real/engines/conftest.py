"""One fleet for the tests of this folder, which takes a while to build; each leaves it whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.real import remains
from tests.real.engine import Engine
from tests.real.engines.rig import Fleet, fleet


@pytest.fixture(scope="package")
def built(session_engine: Engine, tiny_image: str) -> Iterator[Fleet]:
    session_engine.clear()
    with TemporaryDirectory(prefix="fleet-", dir=remains.folder()) as folder:
        os.chmod(folder, 0o755)  # PostgreSQL is no root
        with fleet(Path(folder), session_engine, tiny_image) as found:
            yield found
    session_engine.clear()


@pytest.fixture
def made(built: Fleet) -> Fleet:
    """Every server of it answers."""
    built.whole()
    return built
