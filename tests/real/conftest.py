"""Fixtures for tests on a real Docker engine. Where it cannot be started they fail: a skipped check checks nothing."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadFileScheduling

from terrace.drivers.docker.labels import RECIPE
from tests.real import remains
from tests.real.engine import EngineError, private_engine
from tests.real.images import base_image as make_base_image
from tests.real.images import recipe_image
from tests.real.images import tiny_image as make_tiny_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.engine import Engine


LONG = (
    "engines/test_trouble.py",
    "engines/test_restore.py",
    "engines/test_upgrade.py",
    "level/test_kill.py",
    "level/test_change.py",
    "level/test_operations.py",
    "corpus/test_machines.py",
    "real/test_docker_driver.py",
    "real/test_security_groups.py",
    "level/test_outside.py",
    "level/test_everyday.py",
    "level/test_updates.py",
    "level/test_input.py",
    "level/test_daemon.py",
    "level/test_networks.py",
    "corpus/test_balance.py",
    "level/test_projects.py",
    "real/test_load_balancers.py",
    "level/test_disk.py",
    "level/test_signals.py",
    "level/test_balance.py",
    "corpus/test_values.py",
    "level/test_ghosts.py",
    "level/test_software.py",
    "postgres/test_contract.py",
    "real/test_readme.py",
    "real/test_docker_software.py",
)
"""The files that take a minute and more, the longest first."""
BUILT = {"base_image", "proxy_image"}
"""The first test that asks for one may have to wait until it is built."""


def pytest_configure() -> None:
    """What killed runs left goes, and the workers of this one know it by the same folder."""
    remains.folder()


class Dealer(LoadFileScheduling):
    """Deals out the tests to the workers by files; all with a fleet of engines to one, since they share it, and since
    several fleets at once would leave none of them the time that a lease gives."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "engines" if file.startswith("tests/real/engines/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealer | None:
    """Dealer, where --dist loadfile is said."""
    return Dealer(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder carries the mark `real`, and what takes long begins first: a file is dealt out as a
    whole (--dist loadfile), and a long one that begins last is waited for by every other worker."""
    for item in items:
        if "tests/real/" in item.path.as_posix():
            item.add_marker(pytest.mark.real)
        if BUILT & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(420))
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get("/".join(item.path.parts[-2:]), len(rank)))


@pytest.fixture(scope="session")
def session_engine() -> Iterator[Engine]:
    """One private engine for the whole session; most tests want `engine`."""
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(private_engine())
        except EngineError as error:
            engine, wrong = None, str(error)
        if engine is None:
            pytest.fail(f"no Docker engine to test with: {wrong}", pytrace=False)
        yield engine


@pytest.fixture
def engine(session_engine: Engine) -> Iterator[Engine]:
    """The session's engine: it runs, it has images, and it holds nothing else, since each test leaves it so."""
    yield session_engine
    if not session_engine.answers:
        session_engine.recover()
    session_engine.clear()
    words = ("images", "--filter", f"label={RECIPE}", "--format", "{{.Repository}}:{{.Tag}}")
    built = set(session_engine.cli(*words).split()) - session_engine.loaded
    session_engine.loaded |= built
    assert not built, f"this test built {built}: let it ask for base_image or proxy_image, which are kept"


@pytest.fixture(scope="session")
def tiny_image(session_engine: Engine) -> str:
    """A reference to an image of 2 MB with a shell and busybox's tools, for tests that only need something to run."""
    return make_tiny_image(session_engine)


@pytest.fixture(scope="session")
def base_image(session_engine: Engine) -> str:
    """The image of the recipe debian-12 as Terrace itself builds it; kept between sessions."""
    return make_base_image(session_engine)


@pytest.fixture(scope="session")
def proxy_image(session_engine: Engine) -> str:
    """The image of load balancers; kept between sessions."""
    return recipe_image(session_engine, "haproxy")


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty XDG folders for one test, so that a server started in it knows of no other."""
    for name in ("STATE", "CONFIG", "CACHE", "DATA"):
        folder = tmp_path / name.lower()
        folder.mkdir(mode=0o700)
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder))
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return tmp_path
