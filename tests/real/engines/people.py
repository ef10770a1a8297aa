"""People who change stacks all the time, through whichever server answers, and remember what was acknowledged."""

from __future__ import annotations

import threading
from itertools import count

from terrace.client.client import Client
from terrace.client.errors import ApiError, UnreachableError

TEMPLATE = """heat_template_version: 2021-04-16
resources:
{machines}
"""
MACHINE = "  m{n}: {{type: Terrace::Machine, properties: {{image: debian-12, memory: {memory}}}}}"
CONTAINER = (
    "  m{n}: {{type: Terrace::Machine, properties: {{provider: docker, image: '{image}', memory: {memory}}}}}"
)
SIMULATED = tuple(f"s{number}" for number in range(6))
REAL = ("d0", "d1")
NAMES = SIMULATED + REAL


def template(name: str, turn: int, image: str) -> str:
    """Three machines that are larger with every turn; the last of them is there every other turn only. Those of `REAL`
    are containers of the image."""
    line = CONTAINER if name in REAL else MACHINE
    lines = [line.format(n=n, memory=64 + turn % 64, image=image) for n in range(3 - turn % 2)]
    return TEMPLATE.format(machines="\n".join(lines))


def wish(client: Client, name: str, turn: int, image: str) -> int:
    """One stack is wanted otherwise; the generation that was acknowledged."""
    return ask(client, name, template(name, turn, image))


def ask(client: Client, name: str, text: str) -> int:
    """A stack is wanted as a template says; the generation that was acknowledged."""
    document = {"template": "t.yaml", "files": {"t.yaml": text}}
    return int(client.stacks.apply(name, document)["generation"])


class People(threading.Thread):
    """Ends when `stop` is called. `pause`: seconds between two wishes. `acknowledged` are the generations that a server
    has answered for."""

    def __init__(self, clients: list[Client], image: str, pause: float = 0.4) -> None:
        super().__init__(daemon=True)
        self._clients = clients
        self._image = image
        self._pause = pause
        self._ending = threading.Event()
        self.acknowledged: dict[str, int] = {}
        self.refused = 0

    def run(self) -> None:
        """One wish after the other."""
        for turn in count():
            if self._ending.is_set():
                return
            name, client = NAMES[turn % len(NAMES)], self._clients[turn % len(self._clients)]
            try:
                number = wish(client, name, turn // len(NAMES), self._image)
            except (ApiError, UnreachableError, OSError):
                self.refused += 1
            else:
                self.acknowledged[name] = max(number, self.acknowledged.get(name, 0))
            self._ending.wait(self._pause)

    def stop(self) -> None:
        """No more wishes."""
        self._ending.set()
        self.join(30)
