"""What can be set, all checked when the server starts; `server.toml` beside this file shows it, commented."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from terrace.model.catalogue import Catalogue
from terrace.model.stack import OnFailure, Source
from terrace.services.settings.access import Access, Ldap

Name = Annotated[str, Meta(pattern=r"^[a-zA-Z][a-zA-Z0-9_.-]{0,62}\Z")]
Size = Annotated[int, Meta(ge=1, extra={"unit": "size"})]
"""Bytes; in the file a number, or text such as 512K, 16M, 1G."""
Duration = Annotated[float, Meta(gt=0, extra={"unit": "duration"})]
"""Seconds; in the file a number, or text such as 30s, 10m, 12h, 30d."""
Count = Annotated[int, Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True):
    """Bounds on what is taken in and what is kept. `document`: one file of a template; `body`: a whole
    request; `files`: how many files one request may carry."""

    document: Size = 16 * 1024**2
    body: Size = 32 * 1024**2
    files: Count = 1000
    events_age: Duration = 30 * 86400.0
    events_count: Count = 200_000
    generations: Annotated[int, Meta(ge=2)] = 50


class Tuning(msgspec.Struct, frozen=True):
    """Seconds. `resync`: how often everything is listed; `ghost_grace`: how long something must be unwanted
    before it is reaped; `lease`: how long a server that stopped answering keeps its stacks."""

    resync: Annotated[float, Meta(ge=1, extra={"unit": "duration"})] = 30.0
    ghost_grace: Duration = 60.0
    lease: Annotated[float, Meta(ge=6, extra={"unit": "duration"})] = 10.0


class Defaults(msgspec.Struct, frozen=True):
    """What a request that does not say gets. `timeout` in seconds until a generation counts as failed."""

    timeout: Duration = 3600.0
    on_failure: OnFailure = OnFailure.KEEP


def split_address(text: str) -> tuple[str, int]:
    """Host and port of "host:port" or "[IPv6]:port". ValueError."""
    host, _, port = text.rpartition(":")
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not inner or (":" in inner) != (inner != host) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError('write it as "host:port", for example "127.0.0.1:7443" or "[::1]:7443"')
    return inner, int(port)


class ServerSettings(msgspec.Struct, frozen=True):
    """How the server is reached besides its Unix socket, and what it does. `name` "": that of the computer; `roles`
    are those of ports.engines. `listen` "": not at all; `certificate` "": one of its own.
    `connections` at once in all, and from one source; `rate`: requests a second of one credential, after the first
    `burst` of them. `log` is the form of log lines, `log_requests` which requests have one."""

    name: Annotated[str, Meta(pattern=r"^([a-zA-Z][a-zA-Z0-9_.-]{0,62})?\Z")] = ""
    roles: tuple[Literal["api", "engine"], ...] = ("api", "engine")
    listen: str = ""
    certificate: str = ""
    key: str = ""
    connections: Count = 2000
    connections_per_source: Count = 1000
    rate: Annotated[float, Meta(ge=1)] = 500.0
    burst: Count = 1000
    log: Literal["json", "pretty"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_requests: Literal["all", "changes", "failures"] = "all"


class StoreSettings(msgspec.Struct, frozen=True):
    """Where everything is kept. `url` of a PostgreSQL database, without a password ("": a SQLite file in the state
    folder); `password_file` holds that; `patience` in seconds until a database that says nothing counts as gone."""

    url: str = ""
    password_file: str = ""
    patience: Annotated[float, Meta(ge=5, extra={"unit": "duration"})] = 15.0


class ProviderSettings(msgspec.Struct, frozen=True):
    """One configured provider. `table` is what its driver's own settings are made of."""

    name: str
    driver: str
    table: dict[str, Any] = {}
    catalogue: Catalogue = Catalogue()


class Settings(msgspec.Struct, frozen=True):
    """Everything. `state`: the folder where Terrace keeps what it knows; `socket`: the Unix socket it answers
    on; `key_file`: the file with the master keys; `environment_d`: the folder of the operator's environments ("": there
    are none), and `operator` what was read from it; `file` and `text`: what was read ("" when there is no file)."""

    state: str
    socket: str
    providers: dict[str, ProviderSettings]
    default_provider: str
    key_file: str = ""
    limits: Limits = Limits()
    tuning: Tuning = Tuning()
    defaults: Defaults = Defaults()
    people: Access = Access()
    ldap: Ldap | None = None
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    environment_d: str = ""
    operator: Source = Source("")
    file: str = ""
    text: str = ""
