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


def template(name: str, turn: int, image: str, machines: int = 3) -> str:
    """Three machines that are larger with every turn; the last of them is there every other turn only. Those of `REAL`
    are containers of the image."""
    line = CONTAINER if name in REAL else MACHINE
    lines = [line.format(n=n, memory=64 + turn % 64, image=image) for n in range(machines - turn % 2)]
    return TEMPLATE.format(machines="\n".join(lines))


def wish(client: Client, name: str, turn: int, image: str, machines: int = 3) -> int:
    """One stack is wanted otherwise; the generation that was acknowledged."""
    document = {"template": "t.yaml", "files": {"t.yaml": template(name, turn, image, machines)}}
    return int(client.stacks.apply(name, document)["generation"])


class People(threading.Thread):
    """Ends when `stop` is called. `acknowledged` are the generations that a server has answered for."""

    def __init__(self, clients: list[Client], image: str) -> None:
        super().__init__(daemon=True)
        self._clients = clients
        self._image = image
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
            self._ending.wait(0.4)

    def stop(self) -> None:
        """No more wishes."""
        self._ending.set()
        self.join(30)
