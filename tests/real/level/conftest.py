"""A user with a server for each file of tests; after each test nothing of it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real.level.rig import alone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace


PATIENCE = pytest.mark.timeout(420)
"""The first test may have to build the base image; what waits has deadlines of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """More time for everything below this folder that does not say otherwise."""
    for item in items:
        if "tests/real/level/" in item.path.as_posix() and not item.get_closest_marker("timeout"):
            item.add_marker(PATIENCE)


@pytest.fixture(scope="module")
def server(session_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    """The user that the tests of a file share; most of them want `terrace`."""
    yield from alone(tmp_path_factory.mktemp("user"), session_engine)


@pytest.fixture
def terrace(server: Terrace, engine: Engine) -> Iterator[Terrace]:
    """The user, with a server that runs, no stacks and an empty engine."""
    server.start()
    yield server
    if not engine.answers:
        engine.recover()
    for name in server("list", "-o", "name", code=None).out.split():
        server("down", name, "--yes", "--timeout", "20s", code=None)
        server("down", name, "--yes", "--forget", "--timeout", "20s", code=None)
