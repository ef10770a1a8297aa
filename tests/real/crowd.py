"""Clients of a load balancer that never stop asking."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections import Counter
from collections.abc import Callable


def get(address: str, port: int = 80, seconds: float = 5.0, path: str = "/", cookie: str = "") -> str:
    """The name of the machine that answers, "" for none, or the status when it is not 200."""
    link = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        link.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = link.getresponse()
        text = answer.read().decode().strip()
        return text if answer.status == 200 else str(answer.status)
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        link.close()


class Crowd:
    """Clients that ask all the time, each over one connection that it keeps, or over a new one each time."""

    def __init__(self, address: str, clients: int = 4, path: str = "/") -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._address = address
        self._path = path
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number % 2 == 0,)) for number in range(clients)
        ]

    def _run(self, keeps: bool) -> None:
        link = http.client.HTTPConnection(self._address, 80, timeout=20)
        while not self._over.is_set():
            try:
                link.request("GET", self._path)
                answer = link.getresponse()
                text = answer.read().decode().strip()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                link.close()
                continue
            if answer.status == 200:
                self.answers[text] += 1
            else:
                self.failures.append(str(answer.status))
            if not keeps:
                link.close()
        link.close()

    def heard(self, *names: str) -> Callable[[], bool]:
        """What tells whether each of `names` has answered anew since now."""
        before = Counter(self.answers)
        return lambda: all(self.answers[name] > before[name] for name in names)

    async def hears(self, *names: str) -> None:
        """Waits until each of `names` has answered anew."""
        heard = self.heard(*names)
        async with asyncio.timeout(30):
            while not heard():
                await asyncio.sleep(0.05)

    def judge(self, least: int = 100) -> None:
        """No request failed, and there were some."""
        assert self.failures == []
        assert self.answers.total() > least

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)
