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
NAMES = tuple(f"s{number}" for number in range(6))


def template(turn: int, machines: int = 3) -> str:
    """Three machines that are larger with every turn; the last of them is there every other turn only."""
    lines = [MACHINE.format(n=n, memory=64 + turn % 64) for n in range(machines - turn % 2)]
    return TEMPLATE.format(machines="\n".join(lines))


class People(threading.Thread):
    """Ends when `stop` is called. `acknowledged` are the generations that a server has answered for."""

    def __init__(self, clients: list[Client]) -> None:
        super().__init__(daemon=True)
        self._clients = clients
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
                self.wish(client, name, turn)
            except (ApiError, UnreachableError, OSError):
                self.refused += 1
            self._ending.wait(0.4)

    def wish(self, client: Client, name: str, turn: int) -> None:
        """One stack is wanted otherwise."""
        document = {"template": "t.yaml", "files": {"t.yaml": template(turn)}}
        stack = client.stacks.apply(name, document)
        self.acknowledged[name] = max(stack["generation"], self.acknowledged.get(name, 0))

    def stop(self) -> None:
        """No more wishes."""
        self._ending.set()
        self.join(30)
