"""Health checks of machines, and the last words of those that ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from terrace.engine.stack.state import Live, StackState, Turn
from terrace.errors import TerraceError
from terrace.model.seen import Seen
from terrace.ports.clock import Clock
from terrace.ports.driver import Driver, Guests, Probes

LAST_LINES = 5
LAST_BYTES = 2000


def first_wait(tries: int) -> float:
    """Seconds between the first checks of a machine that is coming up: often at first, then every second."""
    return float(min(1.0, 0.1 * 2 ** (tries - 1)))


class Prober:
    """Follows a stack's machines: one task for each that has a health check and runs."""

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        clock: Clock,
        report: Callable[[str, bool | None, str], None],
        words: Callable[[str, int | None, str], None],
    ) -> None:
        self._drivers = drivers
        self._clock = clock
        self._report = report
        self._words = words
        self._tasks: dict[str, tuple[str, Any, asyncio.Task[None]]] = {}
        self._readers: set[asyncio.Task[None]] = set()

    def follow(self, state: StackState, turn: Turn) -> None:
        """Starts and stops checks after a turn."""
        for key in turn.upserts:
            live = state.by_uid.get(key[0])
            if live is not None:
                self._follow(live)
        for key in turn.removals:
            live = state.by_uid.get(key[0])
            if live is None or live.current is None:
                self._forget(live.path if live else "")
        for path in list(self._tasks):
            if path not in state.lives:
                self._forget(path)
        for path, code in state.ended.items():
            self._read(state.lives.get(path), code)
        state.ended.clear()

    def _follow(self, live: Live) -> None:
        record = live.current
        health = getattr(live.wanted.spec, "health", None) if live.wanted else None
        running = record is not None and record.seen is not None and record.seen.state == "running"
        if health is None or not running or record is None or record.seen is None:
            self._forget(live.path)
            live.probe = None
            return
        known = self._tasks.get(live.path)
        if known is not None and known[0] == record.provider_id and known[1] == health:
            return
        self._forget(live.path)
        driver = self._drivers.get(record.provider)
        if driver is not None and hasattr(driver, "probe"):
            task = asyncio.create_task(self._check(live.path, cast("Probes", driver), record.seen, health))
            self._tasks[live.path] = (record.provider_id, health, task)

    def _forget(self, path: str) -> None:
        known = self._tasks.pop(path, None)
        if known is not None:
            known[2].cancel()

    async def _check(self, path: str, probes: Probes, seen: Seen, health: Any) -> None:
        failures = tries = 0
        began = self._clock.now()
        was: bool | None = None
        while True:
            try:
                passed, why = await probes.probe(seen, health)
            except TerraceError as error:
                passed, why = False, error.message
            failures = 0 if passed else failures + 1
            in_grace = was is None and self._clock.now() < began + health.grace
            if passed:
                was = True
                self._report(path, True, "")
            elif failures >= health.retries and not in_grace:
                was = False
                self._report(path, False, f"{health.type} check fails: {why}")
            elif was is None:
                self._report(path, None, f"waiting for its first {health.type} check: {why}")
            tries += 1
            await self._clock.sleep(
                health.interval if was is not None else min(health.interval, first_wait(tries))
            )

    def _read(self, live: Live | None, code: int | None) -> None:
        record = live.current if live else None
        driver = self._drivers.get(record.provider) if record else None
        if live is None or record is None or driver is None or not hasattr(driver, "logs"):
            return
        task = asyncio.create_task(self._last(live.path, cast("Guests", driver), record.provider_id, code))
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)

    async def _last(self, path: str, guests: Guests, provider_id: str, code: int | None) -> None:
        data = b""
        try:
            async for chunk in guests.logs(provider_id, tail=LAST_LINES):
                data = (data + chunk.data)[-LAST_BYTES:]
        except TerraceError:
            return
        lines = data.decode(errors="replace").strip().splitlines()[-LAST_LINES:]
        if lines:
            self._words(path, code, " | ".join(line.strip() for line in lines))

    def close(self) -> None:
        """Stops every check."""
        for path in list(self._tasks):
            self._forget(path)
        for task in self._readers:
            task.cancel()
