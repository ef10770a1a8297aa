"""What has our label and no record is reported and reaped, unless it holds data; what is not ours is not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real.level.rig import LABEL, alone, machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace


@pytest.fixture(scope="module")
def neighbour(session_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    """A second installation on the same engine."""
    yield from alone(tmp_path_factory.mktemp("neighbour"), session_engine)


def labels(installation: str, uid: str) -> list[str]:
    """What Terrace writes on a thing of its own."""
    return [f"--label={LABEL}={installation}", f"--label=terrace.uid={uid}", "--label=terrace.incarnation=1"]


def test_a_ghost_is_reported_and_reaped(terrace: Terrace, neighbour: Terrace, tiny_image: str) -> None:
    engine = terrace.engine
    neighbour.up("mine", {"a": machine(tiny_image)})
    terrace.up("yours", {"a": machine(tiny_image)})
    engine.cli("run", "-d", "--name", "unlabelled", tiny_image)
    engine.cli("run", "-d", "--name", "stranger", *labels("someone-else", "u1"), tiny_image)
    engine.cli("volume", "create", *labels("someone-else", "u2"), "strange-disk")
    ghost = engine.cli("run", "-d", "--name", "ghost", *labels(terrace.installation, "u3"), tiny_image)

    reported = terrace.until(lambda: terrace.ghosts().get(ghost), why="the ghost to be reported")
    assert reported["kind"] == "Machine"
    assert not reported["kept"]
    terrace.until(lambda: "ghost" not in engine.containers(), why="the ghost to be reaped")
    assert terrace.ghosts() == {}

    assert {"unlabelled", "stranger"} <= set(engine.containers(running=True))
    assert "strange-disk" in engine.cli("volume", "ls", "-q").split()
    terrace.stands("yours", "network:stack", "a")
    terrace.down("yours")
    neighbour.stands("mine", "network:stack", "a")
    neighbour.down("mine")
    assert engine.containers(running=True) == ["stranger", "unlabelled"]


def test_a_ghost_with_data_is_kept_until_somebody_says_so(terrace: Terrace, tiny_image: str) -> None:
    engine, ours = terrace.engine, terrace.installation
    engine.cli("volume", "create", *labels(ours, "u4"), "precious")
    reported = terrace.until(lambda: terrace.ghosts().get("precious"), why="the volume to be reported")
    assert reported["kept"] == "it holds data"
    assert terrace("doctor", code=None).out.count("terrace ghost list")

    # A container that came later and is reaped shows that the volume's time would have come, too.
    engine.cli("run", "-d", "--name", "later", *labels(ours, "u5"), tiny_image)
    terrace.until(lambda: engine.containers() == [], why="the later ghost to be reaped")
    assert "precious" in engine.cli("volume", "ls", "-q").split()

    terrace("ghost", "reap", "local", "precious", code=1)  # nobody is there to say yes
    engine.cli("run", "-d", "--name", "user", "-v", "precious:/precious", tiny_image)
    assert "in use" in terrace("ghost", "reap", "local", "precious", "--yes", code=1).err
    engine.cli("rm", "--force", "user")
    terrace("ghost", "reap", "local", "precious", "--yes")
    assert engine.cli("volume", "ls", "-q").split() == []
    terrace.until(lambda: terrace.ghosts() == {}, why="the list of ghosts to be empty")
    terrace("ghost", "reap", "local", "precious", "--yes", code=1)
