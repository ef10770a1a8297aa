"""From the text of server.toml and the environment to Settings. Reads nothing by itself."""

from __future__ import annotations

import os.path
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from terrace.errors import DocumentError
from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue, Flavor
from terrace.ports.engines import ROLES
from terrace.services.settings.access import Access, Ldap, wrong
from terrace.services.settings.schema import (
    Defaults,
    Limits,
    ProviderSettings,
    ServerSettings,
    Settings,
    StoreSettings,
    Tuning,
    split_address,
)
from terrace.services.settings.table import Document, read_struct

TEXTS = ("state", "socket", "key_file", "default_provider", "environment_d")
TABLES: dict[str, type[Struct]] = {"limits": Limits, "tuning": Tuning, "defaults": Defaults, "people": Access}
"""Tables that are all there is to them."""
KEYS = (*TEXTS, *TABLES, "server", "store", "ldap", "providers", "catalogue")
DOCKER_SOCKET = "/var/run/docker.sock"
_PASSWORD = re.compile(r"//[^/?#]*:[^/?#]*@|[?&]password=")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}")


class Surroundings:
    """What settings are read in: the environment, and whether a path exists."""

    def __init__(self, environ: Mapping[str, str], exists: Callable[[str], bool]) -> None:
        self.environ = environ
        self.exists = exists

    def folder(self, variable: str, below_home: str) -> str:
        """Terrace's folder below an XDG one."""
        root = self.environ.get(variable) or os.path.join(self.environ.get("HOME") or "/", below_home)
        return os.path.join(root, "terrace")

    def expand(self, path: str) -> str:
        """`path` with a leading ~ as the home folder."""
        return re.sub(r"^~(?=/|$)", lambda _: self.environ.get("HOME") or "/", path)


def settings_file(around: Surroundings) -> str:
    """Where server.toml is looked for: $TERRACE_SERVER_CONFIG, or below the XDG configuration folder."""
    given = around.environ.get("TERRACE_SERVER_CONFIG")
    return given or os.path.join(around.folder("XDG_CONFIG_HOME", ".config"), "server.toml")


def parse(text: str, file: str, around: Surroundings) -> Settings:
    """The settings in `text` ("" for none). DocumentError with every mistake: file, line and key."""
    document = Document(text, file)
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DocumentError([_syntax(document, str(error), text)]) from error
    catalogue = _catalogue(document, root.pop("catalogue", {}), ("catalogue",), Catalogue(FLAVORS, IMAGES))
    tables: dict[str, Any] = {
        name: read_struct(document, kind, root.pop(name, {}), (name,)) for name, kind in TABLES.items()
    }
    server = _server(document, root.pop("server", {}), around)
    ldap = _directory(document, root.pop("ldap")) if "ldap" in root else None
    store = _store(document, root.pop("store", {}), around)
    _check_roles(document, server, store)
    providers = _providers(document, root.pop("providers", {}), catalogue)
    texts = {name: _text(document, root.pop(name), name) for name in TEXTS if name in root}
    for key in root:
        document.blame_unknown((key,), KEYS)
    if not providers:
        providers["local"] = ProviderSettings("local", "docker", _engine(around), catalogue)
    default = _default(document, texts.get("default_provider", ""), providers)
    if document.problems or server is None or store is None:
        raise DocumentError(sorted(document.problems, key=lambda problem: (problem.line, problem.column)))
    state = around.expand(texts.get("state") or around.environ.get("TERRACE_STATE") or _state(around))
    socket = around.expand(texts.get("socket") or os.path.join(state, "server.sock"))
    key_file = texts.get("key_file") or around.environ.get("TERRACE_KEY_FILE") or os.path.join(state, "key")
    return Settings(
        state,
        socket,
        providers,
        default,
        key_file=around.expand(key_file),
        **tables,
        server=server,
        ldap=ldap,
        store=store,
        environment_d=_environment_d(texts, file, around),
        file=file,
        text=text,
    )


def _check_roles(document: Document, server: ServerSettings | None, store: StoreSettings | None) -> None:
    """A server must do something, and what it does not do others must be able to."""
    if server is None or store is None:
        return
    if not server.roles:
        document.blame(("server", "roles"), "names none", hint='write roles = ["api", "engine"]')
    elif set(server.roles) != set(ROLES) and not store.url:
        document.blame(
            ("server", "roles"),
            "a server that is the only one has to be both api and engine",
            hint="several servers need PostgreSQL: set [store] url",
        )


def _state(around: Surroundings) -> str:
    return around.folder("XDG_STATE_HOME", ".local/state")


def _environment_d(texts: Mapping[str, str], file: str, around: Surroundings) -> str:
    """The folder that is named, relative to the settings; else environment.d beside them, if it is there."""
    beside = os.path.dirname(file)
    if given := texts.get("environment_d"):
        return os.path.join(beside, around.expand(given))
    usual = os.path.join(beside, "environment.d")
    return usual if file and around.exists(usual) else ""


def _engine(around: Surroundings) -> dict[str, Any]:
    """The Docker engine when nobody says: the environment's, this machine's, or the demo's private one."""
    if given := around.environ.get("DOCKER_HOST"):
        folder = around.environ.get("DOCKER_CERT_PATH")
        if not around.environ.get("DOCKER_TLS_VERIFY") or not folder:
            return {"host": given}
        return {"host": given, "tls": {name: f"{folder}/{name}.pem" for name in ("ca", "cert", "key")}}
    private = os.path.join(_state(around), "engine", "docker.sock")
    return {"host": "unix://" + (private if around.exists(private) else DOCKER_SOCKET)}


def _text(document: Document, value: Any, name: str) -> str:
    if isinstance(value, str) and value:
        return value
    document.blame((name,), "must be text, and not empty")
    return ""


def _server(document: Document, table: Any, around: Surroundings) -> ServerSettings | None:
    found = read_struct(document, ServerSettings, table, ("server",))
    if found is None:
        return None
    if found.listen:
        try:
            split_address(found.listen)
        except ValueError as error:
            document.blame(("server", "listen"), f'"{found.listen}" is no address', hint=str(error))
    elif found.certificate:
        document.blame(("server", "certificate"), "is shown to nobody", hint='set "listen" besides')
    if bool(found.certificate) != bool(found.key):
        given, missing = ("certificate", "key") if found.certificate else ("key", "certificate")
        document.blame(("server", given), f'needs "{missing}" beside it')
    return msgspec.structs.replace(
        found, certificate=around.expand(found.certificate), key=around.expand(found.key)
    )


def _store(document: Document, table: Any, around: Surroundings) -> StoreSettings | None:
    found = read_struct(document, StoreSettings, table, ("store",))
    if found is None:
        return None
    if found.url and not found.url.startswith(("postgresql://", "postgres://")):
        hint = "write postgresql://user@host:5432/database, or leave it out for SQLite"
        document.blame(("store", "url"), "is no address of a PostgreSQL database", hint=hint)
    elif _PASSWORD.search(found.url):
        document.blame(
            ("store", "url"), "holds a password", hint='put it into a file, named by "password_file"'
        )
        document.problems[-1] = msgspec.structs.replace(document.problems[-1], source="")
    elif found.password_file and not found.url:
        document.blame(("store", "password_file"), "is for no database", hint='set "url" besides')
    return msgspec.structs.replace(found, password_file=around.expand(found.password_file))


def _providers(document: Document, tables: Any, catalogue: Catalogue) -> dict[str, ProviderSettings]:
    if not isinstance(tables, dict):
        document.blame(("providers",), "must hold one table per provider", hint="write [providers.local]")
        return {}
    found: dict[str, ProviderSettings] = {}
    for name, table in tables.items():
        path = ("providers", name)
        if not _NAME.fullmatch(name):
            document.blame(path, "a provider's name is letters, digits, _ . - and begins with a letter")
        elif not isinstance(table, dict):
            document.blame(path, "must be a table", hint=f"write [providers.{name}]")
        elif not isinstance(driver := table.get("driver"), str):
            document.blame((*path, "driver"), "is required", hint='for example driver = "docker"')
        else:
            rest = {key: value for key, value in table.items() if key not in ("driver", "flavors", "images")}
            own = {key: table[key] for key in ("flavors", "images") if key in table}
            found[name] = ProviderSettings(name, driver, rest, _catalogue(document, own, path, catalogue))
    return found


def _catalogue(document: Document, table: Any, path: tuple[str, ...], below: Catalogue) -> Catalogue:
    """What `table` adds to the catalogue `below`."""
    if not isinstance(table, dict):
        document.blame(path, "must be a table", hint="write [catalogue.images] or [catalogue.flavors.NAME]")
        return below
    for key in table.keys() - {"flavors", "images"}:
        document.blame_unknown((*path, key), ("flavors", "images"))
    flavors, images = dict(below.flavors), dict(below.images)
    for name, value in _entries(document, table, path, "flavors"):
        flavor = read_struct(document, Flavor, value, (*path, "flavors", name))
        if flavor is not None:
            flavors[name] = flavor
    for name, value in _entries(document, table, path, "images"):
        if isinstance(value, str) and value:
            images[name] = value
        else:
            document.blame((*path, "images", name), "must be a reference, or recipe:NAME")
    return Catalogue(flavors, images)


def _directory(document: Document, table: Any) -> Ldap | None:
    found = read_struct(document, Ldap, table, ("ldap",))
    if found is not None:
        for key, message, hint in wrong(found):
            document.blame(("ldap", *key), message, hint=hint)
    return found


def _entries(
    document: Document, table: dict[str, Any], path: tuple[str, ...], key: str
) -> list[tuple[str, Any]]:
    entries = table.get(key, {})
    if isinstance(entries, dict):
        return list(entries.items())
    document.blame((*path, key), "must be a table")
    return []


def _default(document: Document, wanted: str, providers: Mapping[str, ProviderSettings]) -> str:
    if wanted:
        if wanted not in providers and wanted != "builtin":
            known = ", ".join(sorted(providers)) or "none"
            document.blame(("default_provider",), f'no provider "{wanted}"', hint=f"configured: {known}")
        return wanted
    if "local" in providers or not providers:
        return "local"
    if len(providers) > 1:
        document.blame(
            ("providers",), "there are several: say which is the default", hint='default_provider = "NAME"'
        )
    return next(iter(providers))


def _syntax(document: Document, message: str, text: str) -> Any:
    match = re.search(r"\(at line (\d+), column (\d+)\)$", message)
    line, column = (int(match[1]), int(match[2])) if match else (text.count("\n") + 1, 1)
    lines = text.splitlines()
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    document.blame((), re.sub(r"\s*\(at .*\)$", "", message) + ": this is not TOML")
    problem = document.problems.pop()
    return type(problem)(
        problem.message, file=document.file, line=line, column=column, code=problem.code, source=source
    )
