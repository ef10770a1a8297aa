"""What is believed of two answers of the engine that contradict each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.wire.client import Engine, Params

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded.json").read_text())
CONTAINER = RECORDED["listed"]["Id"]
INSTALLATION = "inst"


class Torn:
    """An engine that lists a container in one state and shows it in another."""

    local = False
    timeout = 1.0

    def __init__(self) -> None:
        self.listed, self.shown = "running", "running"

    async def read(self, path: str, params: Params | None = None) -> Any:
        """GET."""
        match path.split("/")[1:]:
            case ["containers", "json"]:
                status = {"State": self.listed, "Status": "Exited (137) 1 second ago"}
                return [
                    {**RECORDED["listed"], **(status if self.listed == "exited" else {"State": self.listed})}
                ]
            case ["containers", _, "json"]:
                state = {**RECORDED["inspected"]["State"], "Status": self.shown}
                return {**RECORDED["inspected"], "State": state}
            case ["networks"]:
                return [RECORDED["network"]]
            case ["volumes"]:
                return {"Volumes": []}
            case _:
                return {"Name": "host-1"}


async def state(observer: Observer) -> str:
    found = await observer.observe(INSTALLATION, ())
    return next(seen.state for seen in found.items if seen.kind == "Machine")


@pytest.mark.parametrize("end", ["exited", "paused", "removing"])
async def test_an_end_told_before_it_is_listed_is_seen(end: str) -> None:
    # Engines send "die" before they write down that the container has ended, and list what they have written down.
    engine = Torn()
    observer = Observer(cast(Engine, engine), 4)
    observer.trust(True)
    assert await state(observer) == "running"
    engine.shown = end
    observer.doubt(CONTAINER)  # as the event does
    assert await state(observer) == ("dead" if end == "removing" else end)
    engine.listed = end  # the listing has caught up
    assert await state(observer) == ("dead" if end == "removing" else end)


async def test_a_start_told_before_it_is_listed_is_seen() -> None:
    engine = Torn()
    engine.listed = "exited"
    observer = Observer(cast(Engine, engine), 4)
    observer.trust(True)
    assert await state(observer) == "running"
