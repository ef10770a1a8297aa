"""A fake server for each test of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.client.fake_server import FakeServer


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., FakeServer]]:
    """Starts a fake server with routes."""
    servers: list[FakeServer] = []

    def start(routes: dict[str, Any]) -> FakeServer:
        servers.append(FakeServer(tmp_path / f"{len(servers)}.sock", routes))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
