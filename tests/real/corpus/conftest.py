"""A user whose provider knows the names that the templates of the corpus take for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.corpus import CORPUS, require
from tests.real.level.conftest import PATIENCE, terrace
from tests.real.level.rig import SETTINGS, alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

__all__ = ["terrace"]

POOL = "127.0.8.0/24"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnzUDrKVKAM5T5xgRGPc0BDH0Gm8lZN2s4FA8d5yRnB somebody@example"
NAMES = f"""floating_pool = "{POOL}"

[providers.local.images]
"fedora-software-config" = "recipe:debian-12"
"cirros-0.3.2-x86_64-disk" = "recipe:debian-12"

[providers.local.keys]
stack_key = "{KEY}"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test may have to build the base image."""
    for item in items:
        if "tests/real/corpus/" in item.path.as_posix():
            item.add_marker(PATIENCE)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Where the templates lie."""
    require()
    return CORPUS / "hot"


@pytest.fixture(scope="module")
def server(session_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    """The user that the tests of a file share."""
    yield from alone(tmp_path_factory.mktemp("user"), session_engine, SETTINGS + NAMES)
