"""Configurations as a guest reads them at its first boot: cloud-config, and several parts as one MIME message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from terrace.model.value import UNKNOWN, Secret, Unknown, holds

CLOUD_CONFIG = "#cloud-config"
SUBTYPES = {"#!": "x-shellscript", CLOUD_CONFIG: "cloud-config"}


def revealed(value: Any) -> Any:
    """`value` with what is hidden in it laid open; for a text that is hidden as a whole afterwards."""
    if isinstance(value, Secret):
        return revealed(value.reveal())
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(item) for item in value]
    return value


def cloud_config(content: Any) -> Any:
    """A map as the text of a cloud-config (JSON, which is YAML): a Secret if anything in it is hidden, UNKNOWN while
    anything is."""
    if holds(content, Unknown):
        return UNKNOWN
    text = f"{CLOUD_CONFIG}\n{json.dumps(revealed(content), indent=1, sort_keys=True)}\n"
    return Secret(text) if holds(content, Secret) else text


def multipart(parts: Sequence[dict[str, Any]]) -> Any:
    """Parts (config, subtype, filename, type) as one MIME message; a Secret if any of them is hidden, UNKNOWN while
    one is. A part of type multipart is taken apart, and its parts stand in its place."""
    if holds(list(parts), Unknown):
        return UNKNOWN
    plain = [revealed(part) for part in parts]
    flat = [piece for part in plain for piece in _pieces(part)]
    mark = blake2b("\0".join(piece for piece in flat).encode(), digest_size=12).hexdigest()
    boundary = f"==terrace-{mark}=="
    head = f'Content-Type: multipart/mixed; boundary="{boundary}"\nMIME-Version: 1.0\n'
    text = head + "".join(f"\n--{boundary}\n{piece}" for piece in flat) + f"\n--{boundary}--\n"
    return Secret(text) if holds(list(parts), Secret) else text


def _pieces(part: dict[str, Any]) -> list[str]:
    config = str(part.get("config") or "")
    if part.get("type") == "multipart":
        return _taken_apart(config)
    begins = next((name for begin, name in SUBTYPES.items() if config.startswith(begin)), "plain")
    subtype = part.get("subtype") or begins
    lines = [f'Content-Type: text/{subtype}; charset="utf-8"', "MIME-Version: 1.0"]
    lines.append("Content-Transfer-Encoding: 8bit")
    if part.get("filename"):
        lines.append(f'Content-Disposition: attachment; filename="{part["filename"]}"')
    return ["\n".join(lines) + "\n\n" + config]


def _taken_apart(message: str) -> list[str]:
    """The parts of a MIME message that `multipart` made, or of one that looks like it."""
    head, _, rest = message.partition("\n\n")
    boundary = head.partition('boundary="')[2].partition('"')[0]
    if not boundary:
        return _pieces({"config": message})
    body = f"\n{rest}".partition(f"\n--{boundary}--")[0]
    return [piece.removesuffix("\n") for piece in body.split(f"\n--{boundary}\n")[1:]]
