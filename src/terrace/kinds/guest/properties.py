"""The table of a machine's properties."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from terrace.kinds.keypair import PUBLIC_KEY
from terrace.kinds.rules.address import NAME, fitted, wrong_address, wrong_path
from terrace.kinds.schema import Property, Type
from terrace.model.decision import Effect
from terrace.model.value import UNKNOWN, Call, Ref, Secret, Unknown, holds

TEXT = Property(Type.STRING)
HIDDEN = Property(Type.STRING, secret=True)


def _mode(value: str) -> str:
    return (
        ""
        if re.fullmatch("0[0-7]{3}", value)
        else f'write it in quotes and with four digits, such as "0644" (not {value})'
    )


def _on_network(value: Any) -> Any:
    return value if isinstance(value, dict) else {"network": value}


def _published(value: Any) -> Any:
    """80, "8080:80", "127.0.0.1:8080:80/udp" as a map."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"guest": value}
    if not isinstance(value, str):
        return value
    ports, _, protocol = value.partition("/")
    address, _, host = ports.rpartition(":")[0].rpartition(":")
    parts = {"guest": ports.rpartition(":")[2], "host": host, "address": address, "protocol": protocol}
    return {name: part for name, part in parts.items() if part}


def _words(value: Any) -> Any:
    """A line of text as the words that a shell would make of it (no shell ever runs it)."""
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError:
        return value


def _note(value: Any) -> Any:
    """What metadata says: a text; anything richer as JSON."""
    if not isinstance(value, float | dict | list) or any(holds(value, kind) for kind in (Ref, Call, Secret)):
        return value
    return UNKNOWN if holds(value, Unknown) else json.dumps(value, sort_keys=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


NOTE = Property(Type.STRING, shorthand=_note)
_NETWORK = Property(
    Type.MAP,
    shorthand=_on_network,
    properties={
        "network": Property(Type.STRING, "The network."),
        "ip": Property(Type.STRING, "A fixed address on it.", check=wrong_address),
        "fixed_ip": Property(Type.STRING, "The same as ip.", check=wrong_address),
        "mac": Property(Type.STRING, "The hardware address."),
        "port": Property(Type.STRING, "A Port, which gives network and address."),
        "groups": Property(
            Type.LIST,
            "The security groups of this place; Terrace fills in those of a port.",
            items=Property(Type.STRING, minimum=1),
        ),
    },
)
_VOLUME = Property(
    Type.MAP,
    properties={
        "volume": Property(Type.STRING, "The volume.", required=True, minimum=1),
        "path": Property(Type.STRING, "Where it appears.", required=True, check=wrong_path),
        "read_only": Property(Type.BOOLEAN, "Whether it can only be read.", default=False),
    },
)
_FILE = Property(
    Type.MAP,
    properties={
        "path": Property(Type.STRING, "Where it is put.", required=True, check=wrong_path),
        "content": Property(Type.STRING, "What is in it.", default="", secret=True),
        "mode": Property(
            Type.STRING, 'Who may read it, as in chmod, in quotes: "0644".', default="0644", check=_mode
        ),
    },
)
_PUBLISHED = Property(
    Type.MAP,
    shorthand=_published,
    properties={
        "guest": Property(Type.INTEGER, "The port inside.", required=True, minimum=1, maximum=65535),
        "host": Property(
            Type.INTEGER, "The port of the host; 0: any free one.", default=0, minimum=0, maximum=65535
        ),
        "address": Property(
            Type.STRING, "The address of the host.", default="127.0.0.1", check=wrong_address
        ),
        "protocol": Property(Type.STRING, "tcp or udp.", default="tcp", allowed=("tcp", "udp")),
    },
)
_HEALTH = {
    "type": Property(Type.STRING, "How it is checked.", required=True, allowed=("command", "tcp", "http")),
    "command": Property(
        Type.LIST, "What must end with 0, run inside.", items=TEXT, shorthand=_words, minimum=1
    ),
    "port": Property(Type.INTEGER, "The port that must answer.", minimum=1, maximum=65535),
    "path": Property(Type.STRING, "The path that must answer with 2xx or 3xx.", default="/"),
    "interval": Property(Type.DURATION, "Time between checks.", default=5.0, minimum=0.1),
    "timeout": Property(Type.DURATION, "Time for an answer.", default=3.0, minimum=0.1),
    "retries": Property(Type.INTEGER, "Failures in a row that make it unhealthy.", default=3, minimum=1),
    "grace": Property(Type.DURATION, "Time after a start in which failures do not count.", default=5.0),
}

PROPERTIES = {
    "name": Property(Type.STRING, "Its name; made from the resource's own by default.", shorthand=fitted),
    "image": Property(
        Type.STRING,
        "What it starts from: an image's name, a reference, or an Image.",
        required=True,
        minimum=1,
    ),
    "image_name": Property(
        Type.STRING, "What the image was called; Terrace fills it in.", changes=Effect.NONE
    ),
    "flavor": Property(
        Type.STRING,
        "A size by name, of the project or of the provider; cpu, memory, disk and pids win over it.",
        changes=Effect.UPDATE,
    ),
    "cpu": Property(Type.NUMBER, "Cores, also parts of one; 0: no limit.", minimum=0, changes=Effect.UPDATE),
    "memory": Property(Type.SIZE, "Memory, such as 512M; 0: no limit.", minimum=0, changes=Effect.UPDATE),
    "disk": Property(Type.SIZE, "Disk, such as 10G; 0: no limit."),
    "pids": Property(
        Type.INTEGER, "How many processes it may have; 0: no limit.", minimum=0, changes=Effect.UPDATE
    ),
    "networks": Property(
        Type.LIST,
        "The networks it is on: each a network, or a map with network and ip, or with port.",
        items=_NETWORK,
        changes=Effect.UPDATE,
    ),
    "security_groups": Property(
        Type.LIST,
        "The security groups that it is in on networks where no port says else. Without any, everything may pass.",
        items=Property(Type.STRING, minimum=1),
        changes=Effect.UPDATE,
    ),
    "volumes": Property(Type.LIST, "Volumes in it.", items=_VOLUME),
    "environment": Property(Type.MAP, "Variables for its program.", items=HIDDEN),
    "command": Property(
        Type.LIST,
        "What it runs, instead of the image's own: a list of words, or a line split into words.",
        items=TEXT,
        shorthand=_words,
    ),
    "files": Property(Type.LIST, "Files put into it before it first starts.", items=_FILE),
    "user_data": Property(
        Type.STRING,
        "For its first boot: run if it begins with #! and the image is one of Terrace's own.",
        secret=True,
    ),
    "user_data_format": Property(
        Type.STRING,
        "The format of user_data.",
        default="RAW",
        allowed=("RAW", "HEAT_CFNTOOLS", "SOFTWARE_CONFIG"),
    ),
    "keys": Property(
        Type.LIST,
        "Who may log in by ssh: each a KeyPair, a public key, or the name of one of the provider's settings.",
        items=Property(Type.STRING, pattern=f"{PUBLIC_KEY}|{NAME}"),
        shorthand=_listed,
    ),
    "metadata": Property(Type.MAP, "Notes for people and for the guest.", items=NOTE, changes=Effect.UPDATE),
    "health": Property(
        Type.MAP, "How to tell that it does its work.", properties=_HEALTH, changes=Effect.UPDATE
    ),
    "restart": Property(
        Type.STRING,
        "What follows when it ends: always, on-failure (unless with exit code 0) or never.",
        default="always",
        allowed=("always", "on-failure", "never"),
        changes=Effect.UPDATE,
    ),
    "log_size": Property(
        Type.SIZE,
        "How much of its output is kept, such as 10M.",
        default=10,
        minimum=1,
        changes=Effect.UPDATE,
    ),
    "publish": Property(
        Type.LIST,
        "Ports of the host wired to it: 80, 8080:80, 127.0.0.1:8080:80/tcp or a map; if the provider allows.",
        items=_PUBLISHED,
    ),
    "workdir": Property(Type.STRING, "The folder that its program begins in.", check=wrong_path),
    "tags": Property(Type.LIST, "Words for people.", items=TEXT, changes=Effect.UPDATE),
    "boot_volume": Property(Type.STRING, "A Volume that it starts from, instead of an image."),
    "group": Property(Type.STRING, "A ServerGroup: where it stands beside others."),
    "placement": Property(Type.STRING, "The rule of its group; Terrace fills it in.", changes=Effect.NONE),
    "password": Property(
        Type.STRING, "The password of its administrator, set at its first boot.", secret=True, minimum=1
    ),
    "aliases": Property(
        Type.LIST,
        "More names by which machines of its networks find it.",
        items=Property(Type.STRING, pattern=NAME),
        changes=Effect.UPDATE,
    ),
}
