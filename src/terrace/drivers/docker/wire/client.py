"""HTTP to the Engine API: one session, a time-out on every request, one line for every failure."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.faults import Refusal, one_line
from terrace.errors import PermanentError, TransientError
from terrace.ports.driver import Fence

_NEWEST = (1, 47)  # the newest version of the API that this driver was written against
_OLDEST = (1, 40)
_SOUND = 23  # the release from which many containers may leave a network at once
FEW = 4
"""How many at once engines before that bear: with more they lose count of a network's users more often, and may lock
up."""
_LOCKS_UP = (
    "if this stays, restart the engine: releases before 23 can lock up when many containers leave a network "
    "at once (removals = 1 in the provider's settings avoids it)"
)

Params = Mapping[str, str | int | list[str]]


def filters(**wanted: list[str]) -> str:
    """The value of a `filters` parameter."""
    return json.dumps(wanted)


class Engine:
    """A connection to one engine. Made outside an event loop if need be; it connects at the first request. `release` is
    the number of the engine's release, known when its version is."""

    def __init__(self, settings: DockerSettings) -> None:
        self.address = settings.host
        self.timeout = settings.timeout
        self.local = settings.host.startswith("unix://")
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._version = ""
        self.release = _SOUND

    # --- requests
    async def read(self, path: str, params: Params | None = None) -> Any:
        """GET; the decoded answer."""
        return await self._ask("GET", path, params)

    async def change(
        self, fence: Fence, method: str, path: str, params: Params | None = None, body: Any = None
    ) -> Any:
        """A request that changes something: only while the lease outlives it. `body` is JSON, or a tar
        archive."""
        await self.version()
        fence.check(self.timeout)
        return await self._ask(method, path, params, body)

    async def post(self, path: str, body: Any = None, params: Params | None = None) -> Any:
        """POST of what changes nothing that Terrace manages (exec)."""
        return await self._ask("POST", path, params, body)

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, params: Params | None = None, **extra: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request whose answer takes as long as it takes. `extra`: data and headers of aiohttp."""
        base = await self.version()
        patience = aiohttp.ClientTimeout(total=None, sock_connect=self.timeout)
        try:
            async with self._open().request(
                method, self._url(base, path), params=_flat(params), timeout=patience, **extra
            ) as answer:
                if answer.status >= 400:
                    raise Refusal(answer.status, _message(await answer.read()))
                yield answer
        except (aiohttp.ClientError, OSError) as error:
            raise self._away(error) from error

    async def version(self) -> str:
        """The API version spoken, as a path prefix ("/v1.41"), agreed upon at the first request."""
        if not self._version:
            answer = await self._raw("GET", f"{self._origin_of()}/version", None, None)
            self._version = _agree(str(answer.get("ApiVersion", "1.41")), str(answer.get("Version", "?")))
            self.release = int(str(answer.get("Version", "")).partition(".")[0] or _SOUND)
        return self._version

    async def leaving(self) -> int:
        """How many containers may leave networks at once: as the settings say, else as the engine bears (0: as many as
        there are)."""
        await self.version()
        few = self._settings.removals or (0 if self.release >= _SOUND else FEW)
        return few if few < self._settings.concurrency else 0

    def forget_version(self) -> None:
        """The engine may have been upgraded: agree again."""
        self._version = ""

    def tls(self) -> ssl.SSLContext | None:
        """What authenticates both sides over TCP."""
        settings = self._settings
        if self.local or not settings.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=settings.tls.ca or None)
            if settings.tls.cert:
                context.load_cert_chain(settings.tls.cert, settings.tls.key or None)
        except (OSError, ssl.SSLError) as error:
            raise PermanentError(f"the certificates of the Docker engine cannot be used: {error}") from error
        return context

    async def close(self) -> None:
        """Lets go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- inside
    def _origin_of(self) -> str:
        if self.local:
            return "http://docker"
        scheme = "https" if self._settings.tls else "http"
        return f"{scheme}://{self.address.removeprefix('tcp://')}"

    def _url(self, base: str, path: str) -> str:
        return f"{self._origin_of()}{base}{path}"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector: aiohttp.BaseConnector
            if self.local:
                connector = aiohttp.UnixConnector(self.address.removeprefix("unix://"), limit=0)
            else:
                connector = aiohttp.TCPConnector(limit=0, ssl=self.tls() or True)
            # else the engine would pack archives, and what a guest packed may not grow here (inside/archive.py)
            plain = {"Accept-Encoding": "identity"}
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False, headers=plain)
        return self._session

    async def _ask(self, method: str, path: str, params: Params | None, body: Any = None) -> Any:
        base = self._version or await self.version()
        return await self._raw(method, self._url(base, path), params, body)

    async def _raw(self, method: str, url: str, params: Params | None, body: Any) -> Any:
        content, headers = _encode(body)
        patience = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with self._open().request(
                method, url, params=_flat(params), data=content, headers=headers, timeout=patience
            ) as answer:
                payload = await answer.read()
                if answer.status >= 400:
                    raise Refusal(answer.status, _message(payload))
                if answer.content_type == "application/json" and payload:
                    return msgspec.json.decode(payload)
                return payload
        except TimeoutError as error:
            what = url.removeprefix(self._origin_of())
            raise TransientError(
                f"the Docker engine did not answer {method} {what} within {self.timeout:g} s",
                code="provider-timeout",
                hint=_LOCKS_UP if self.release < _SOUND else "",
            ) from error
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> TransientError:
        cause = getattr(error, "os_error", error)
        reason = getattr(cause, "strerror", None) or str(cause) or type(error).__name__
        hint = "is the Docker engine running? It goes on by itself when the engine is back"
        if isinstance(cause, PermissionError):
            hint = f"this user may not open {self.address}: run as root, or join the group docker"
        return TransientError(
            f"no answer from the Docker engine at {self.address}: {one_line(reason)}", hint=hint
        )


def _encode(body: Any) -> tuple[bytes | None, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/x-tar"}
    return msgspec.json.encode(body), {"Content-Type": "application/json"}


def _flat(params: Params | None) -> list[tuple[str, str]] | None:
    if not params:
        return None
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        pairs.extend((name, item) for item in value) if isinstance(value, list) else pairs.append(
            (name, str(value))
        )
    return pairs


def _message(payload: bytes) -> str:
    try:
        return str(msgspec.json.decode(payload)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return payload.decode(errors="replace")


def _agree(offered: str, release: str) -> str:
    try:
        major, minor = (int(part) for part in offered.split(".")[:2])
    except ValueError:
        major, minor = _OLDEST
    if (major, minor) < _OLDEST:
        raise PermanentError(
            f"the Docker engine is too old: {release} speaks API {offered}, Terrace needs 1.40 or newer"
        )
    major, minor = min((major, minor), _NEWEST)
    return f"/v{major}.{minor}"
