"""What is asked one by one and answered many at a time: those who come while a transaction runs share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Together(Generic[A, B]):
    """`answer` gives what was asked for each, in their order; when it raises, all of them fail alike."""

    def __init__(self, answer: Callable[[list[A]], Awaitable[list[B]]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, what: A) -> B:
        """The answer to one."""
        future: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_on())
        return await future

    async def _go_on(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            waiting = [future for _, future in batch]
            try:
                answers = await self._answer([what for what, _ in batch])
            except BaseException as error:
                for future in waiting:
                    if not future.done():
                        future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                continue
            for future, answer in zip(waiting, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
