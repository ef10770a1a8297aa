"""Contexts: servers by name, with whom they are trusted for and as whom one comes. They stand in the user's own
config.toml; the token of each lies in a file of its own beside it. Both are for their owner's eyes only."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from terrace.errors import UserError

LOCAL = "local"
"""The context that is always there: the server of this user on this machine."""
SETTINGS = ("server", "project", "output", "context")
"""What else config.toml may say."""
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
_HEADER = re.compile(r"""\s*\[\s*contexts\s*\.\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\]""")


class Context(NamedTuple):
    """A server and how to be there. `fingerprint` and `ca_file` as in Trust; `user` is who logged in last."""

    server: str
    fingerprint: str = ""
    ca_file: str = ""
    project: str = ""
    user: str = ""


class Config(NamedTuple):
    """What config.toml says: plain settings, and contexts by name."""

    settings: dict[str, str]
    contexts: dict[str, Context]

    def named(self, name: str) -> Context:
        """The context of that name. UserError."""
        if name not in self.contexts:
            known = ", ".join([LOCAL, *self.contexts])
            raise UserError(
                f'there is no context "{name}"',
                code="no-such-context",
                hint=f"known: {known}; terrace login makes one",
            )
        return self.contexts[name]


def check_context(name: str) -> None:
    """UserError unless a context can have that name."""
    if not _NAME.fullmatch(name) or name == LOCAL:
        hint = "letters, digits, _ . and -; local is the server of this machine"
        raise UserError(f"{name[:80]!r} cannot be the name of a context", code="invalid-name", hint=hint)


def read_config(file: str) -> Config:
    """What the file says; nothing when there is none. UserError for what is not text, not known, or not TOML."""
    return _parsed(_text(file), file)


def read_settings(file: str, known: Sequence[str]) -> dict[str, str]:
    """The plain settings in a TOML file, {} when there is none. UserError as read_config."""
    found = _loaded(_text(file), file)
    _check(found, known, file)
    return found


def write_context(file: str, name: str, context: Context) -> None:
    """Puts a context in the place of the one of that name, and uses it from now on. UserError."""
    check_context(name)
    filled = {key: value for key, value in context._asdict().items() if value}
    lines = [*_without(_text(file).splitlines(), name), ""]
    lines += [f'[contexts."{name}"]', *(f"{key} = {json.dumps(value)}" for key, value in filled.items())]
    _write(file, _choosing(lines, name))


def use_context(file: str, name: str) -> None:
    """Uses that context (or LOCAL) from now on. UserError when there is none of that name."""
    if name != LOCAL:
        read_config(file).named(name)
    _write(file, _choosing(_text(file).splitlines(), name))


def remove_context(file: str, name: str) -> None:
    """Takes a context and its token away; if it was in use, the local server is from now on. UserError."""
    config = read_config(file)
    config.named(name)
    lines = _without(_text(file).splitlines(), name)
    _write(file, _choosing(lines, LOCAL if config.settings.get("context") == name else ""))
    forget_token(file, name)


def token_file(file: str, name: str) -> str:
    """Where the token of a context lies, given the config.toml that has the context."""
    return os.path.join(os.path.dirname(file), "tokens", name)


def keep_token(file: str, name: str, token: str) -> None:
    """Keeps a token for a context. UserError when it cannot be written."""
    _replace(token_file(file, name), token + "\n")


def forget_token(file: str, name: str) -> None:
    """Takes the token of a context away, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(token_file(file, name))


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as opened:
            return opened.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read ({error})", code="bad-setting") from error


def _loaded(text: str, file: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file} is not TOML: {error}", code="bad-setting") from error


def _parsed(text: str, file: str) -> Config:
    found = _loaded(text, file)
    contexts = found.pop("contexts", {})
    if not isinstance(contexts, dict) or not all(isinstance(one, dict) for one in contexts.values()):
        raise UserError(
            f'{file}: "contexts" must hold tables', code="bad-setting", hint='write [contexts."NAME"]'
        )
    _check(found, SETTINGS, file)
    for name, table in contexts.items():
        _check(table, Context._fields, f"{file}: context {name}")
        if not table.get("server"):
            raise UserError(f'{file}: context {name} lacks "server"', code="bad-setting")
    return Config(found, {name: Context(**table) for name, table in contexts.items()})


def _check(table: dict[str, Any], known: Sequence[str], where: str) -> None:
    for key, value in table.items():
        if key not in known or not isinstance(value, str):
            wrong = "is not known" if key not in known else "must be text"
            raise UserError(
                f'{where}: "{key}" {wrong}', code="bad-setting", hint=f"known are {', '.join(known)}"
            )


# People write in this file, too: what is not ours to change stays as it is, comments included.


def _without(lines: list[str], name: str) -> list[str]:
    """`lines` without the table of a context."""
    kept: list[str] = []
    inside = False
    for line in lines:
        if line.lstrip().startswith("["):
            match = _HEADER.match(line)
            inside = match is not None and name in match.groups()
        if not inside:
            kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _choosing(lines: list[str], name: str) -> list[str]:
    """`lines` that choose a context ("": as before)."""
    if not name:
        return lines
    top = next((at for at, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    chosen = f"context = {json.dumps(name)}"
    for at in range(top):
        if re.match(r"\s*context\s*=", lines[at]):
            return [*lines[:at], chosen, *lines[at + 1 :]]
    return [chosen, *lines]


def _write(file: str, lines: list[str]) -> None:
    text = "\n".join(lines).strip("\n") + "\n"
    _parsed(text, file)
    _replace(file, text)


def _replace(file: str, text: str) -> None:
    """Writes a file that only its owner may read, whole or not at all."""
    draft = f"{file}.{os.getpid()}.new"
    try:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        os.replace(draft, file)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}", code="bad-setting") from error
