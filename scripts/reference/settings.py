"""settings.md: all that can be set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from scripts.reference.text import code, page, table, words

MEBI = 1024**2
SECONDS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def settings() -> str:
    """Everything that can be set: server.toml, the drivers' tables, config.toml, variables."""
    from terrace.drivers.docker import settings as docker
    from terrace.drivers.sim.settings import SimSettings
    from terrace.model.catalogue import FLAVORS, IMAGES, Flavor
    from terrace.services.settings import (
        Access,
        Defaults,
        Ldap,
        Limits,
        ServerSettings,
        StoreSettings,
        Tuning,
    )
    from terrace.services.settings import commented as example

    text = words("settings")
    flavors = [
        [code(name), f"{one.cpu:g}", f"{one.memory}", f"{one.disk}", f"{one.pids}"]
        for name, one in FLAVORS.items()
    ]
    return page(
        "Settings",
        "The server reads one file, `server.toml`, when it starts, and checks all of it: each mistake is told with its "
        "line. `terrace server config --write` makes a commented one; `python -m terrace serve --check` checks it "
        "without starting. Durations are seconds, or text such as `30s`, `10m`, `12h`, `30d`; sizes bytes, or text "
        "such as `512K`, `16M`, `1G`.",
        "## server.toml",
        table(["Setting", "What it is"], [[code(name), line] for name, line in text["server"].items()]),
        *_section("[server]", ServerSettings, text["listener"]),
        *_section("[store]", StoreSettings, text["store"]),
        *_section("[defaults]", Defaults, text["defaults"]),
        *_section("[limits]", Limits, text["limits"]),
        *_section("[tuning]", Tuning, text["tuning"]),
        *_section("[people]", Access, text["people"]),
        *_section("[ldap]", Ldap, text["ldap"]),
        *_section('[catalogue.flavors."NAME"]', Flavor, text["flavor"]),
        "Built-in flavors:",
        table(["Flavor", "cpu", "memory", "disk", "pids"], flavors),
        "### [catalogue.images]",
        "A name for people, and what it stands for: a reference, or `recipe:NAME`. Built in: "
        + ", ".join(f"{code(name)}" for name in IMAGES)
        + ", all of them `recipe:debian-12`.",
        '### [providers.NAME] with driver = "docker"',
        _fields(docker.DockerSettings, text["docker"]),
        *_section("[providers.NAME.tls]", docker.Tls, text["docker-tls"]),
        *_section('[providers.NAME.registries."HOST"]', docker.Registry, text["docker-registry"]),
        '### [providers.NAME] with driver = "sim"',
        "A provider that only pretends; its things are gone when the server ends.",
        _fields(SimSettings, text["sim"]),
        "### The whole file, commented",
        f"```toml\n{example().rstrip()}\n```",
        *_client(text),
    )


def _client(text: Mapping[str, Mapping[str, str]]) -> list[str]:
    from terrace.cli.session import PROJECT_FILE, PROJECT_KEYS, USER_KEYS

    homes = (("config.toml", USER_KEYS), (PROJECT_FILE, PROJECT_KEYS))
    return [
        "## The command line",
        "Flags win over environment variables, these over the project file, that over your own file. Your own file is "
        f"`$XDG_CONFIG_HOME/terrace/config.toml`; the project file is the nearest `{PROJECT_FILE}` from the current "
        "folder upwards. A project file cannot name a server: it may be somebody else's.",
        table(
            ["Setting", "In", "What it is"],
            [
                [code(name), ", ".join(code(home) for home, keys in homes if name in keys), line]
                for name, line in text["client"].items()
            ],
        ),
        "## Environment variables",
        table(["Variable", "What it is"], [[code(name), line] for name, line in text["environment"].items()]),
    ]


def _section(title: str, kind: type[msgspec.Struct], text: Mapping[str, str]) -> list[str]:
    return [f"### {title}", _fields(kind, text)]


def _fields(kind: type[msgspec.Struct], text: Mapping[str, str]) -> str:
    rows = []
    for field in msgspec.structs.fields(kind):
        default = "required" if field.required else _setting(field)
        rows.append([code(field.name), default, text.get(field.name, "")])
    return table(["Setting", "Default", "What it is"], rows)


def _setting(field: Any) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    extra = getattr(field.type, "__metadata__", ()) or getattr(field.type, "extra", ())
    unit = next((one.extra["unit"] for one in _metas(extra) if one.extra), "")
    if unit == "duration":
        size, letter = next(pair for pair in SECONDS if value % pair[0] == 0)
        return code(f'"{value / size:g}{letter}"')
    if unit == "size":
        return code(f'"{value // MEBI}M"')
    if value in (None, "", {}, ()):
        return ""
    return code(msgspec.json.encode(value).decode())


def _metas(extra: Iterable[Any]) -> list[Any]:
    return [one for one in extra if isinstance(one, msgspec.Meta)]
