"""The master keys, in a file of their own that only its owner may read: AES-256-GCM.

The file has one line per key: `seal <key id> <base64>`. The last one is the newest; older ones stay for as long as
something needs them. A line `digest <base64>` is the key of digests that a new database begins with; later the one in
the database counts. What a master key itself sealed is: version (1 byte), key id (4), nonce (12), ciphertext with its
tag.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from terrace.errors import ConflictError, InvariantError

_VERSION = b"\x01"
_ID, _NONCE = 4, 12
_HEAD = len(_VERSION) + _ID
_NOTE = "# Terrace's key. Keep a copy elsewhere: without it nothing that was sealed can be read again.\n"


class KeyFile:
    """The keys in the file at `path`, which is read when first needed, and made when it is missing. ConflictError when
    others may read it, or when it holds something else. By itself it implements ports.Secrets, as a database of an
    earlier version needs it."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._texts: dict[bytes, bytes] = {}
        self._ciphers: dict[bytes, Any] = {}
        self._current = b""
        self._digest_key = b""

    @property
    def path(self) -> str:
        """Where the file is."""
        return str(self._path)

    @property
    def names(self) -> list[str]:
        """The ids of the master keys, hexadecimal, oldest first."""
        self._load()
        return [name.hex() for name in self._ciphers]

    @property
    def digest_key(self) -> bytes:
        """What the file has as the key of digests; empty for none."""
        self._load()
        return self._digest_key

    def wrap(self, master: str, data: bytes, context: bytes) -> bytes:
        """`data` under the master key of that id, bound to `context`."""
        self._load()
        nonce = os.urandom(_NONCE)
        return nonce + bytes(self._ciphers[bytes.fromhex(master)].encrypt(nonce, data, context))

    def unwrap(self, master: str, body: bytes, context: bytes) -> bytes:
        """What was wrapped; InvariantError when it was changed, or is another key's."""
        from cryptography.exceptions import InvalidTag

        self._load()
        cipher = self._ciphers[bytes.fromhex(master)]
        try:
            return bytes(cipher.decrypt(body[:_NONCE], body[_NONCE:], context))
        except InvalidTag as error:
            raise InvariantError(
                f"a data key was changed after master key {master} had wrapped it"
            ) from error

    def add(self) -> str:
        """A new master key, on disk when this returns; its id. ConflictError when the file cannot be written."""
        self._load()
        name = os.urandom(_ID)
        self._write({**self._texts, name: os.urandom(32)})
        return name.hex()

    def drop(self, master: str) -> None:
        """Takes a master key out of the file. ConflictError when the file cannot be written."""
        self._load()
        self._write({name: key for name, key in self._texts.items() if name.hex() != master})

    def reload(self) -> None:
        """Reads the file anew: somebody may have put another key into it."""
        self._ciphers = {}
        self._load()

    def seal(self, data: bytes) -> bytes:
        """`data` encrypted and authenticated with the newest key."""
        self._load()
        head, nonce = _VERSION + self._current, os.urandom(_NONCE)
        return head + nonce + bytes(self._ciphers[self._current].encrypt(nonce, data, head))

    def unseal(self, data: bytes) -> bytes:
        """What was sealed; InvariantError when it was tampered with or its key is not in the file."""
        from cryptography.exceptions import InvalidTag

        self._load()
        head, nonce = data[:_HEAD], data[_HEAD : _HEAD + _NONCE]
        if head[:1] != _VERSION or len(nonce) != _NONCE:
            raise InvariantError("a sealed value has a form that is not known")
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise InvariantError(
                f"a value was sealed with key {head[1:].hex()}, which is not in {self._path}",
                hint="Put the key file back that belongs to this database.",
            )
        try:
            return bytes(cipher.decrypt(nonce, data[_HEAD + _NONCE :], head))
        except InvalidTag as error:
            raise InvariantError("a sealed value was changed after it was sealed") from error

    def digest(self, data: bytes) -> str:
        """HMAC-SHA256, hexadecimal: the same for the same data for as long as the file's digest key stays."""
        self._load()
        if not self._digest_key:
            raise InvariantError(f"there is no key for digests in {self._path}")
        return hmac.new(self._digest_key, data, sha256).hexdigest()

    def _load(self) -> None:
        if self._ciphers:
            return
        # Late: it costs a server that has no secrets several megabytes.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._texts, self._digest_key = _parsed(_text(self._path), self._path)
        self._current = list(self._texts)[-1]
        self._ciphers = {name: AESGCM(key) for name, key in self._texts.items()}

    def _write(self, keys: dict[bytes, bytes]) -> None:
        lines = [f"seal {name.hex()} {base64.b64encode(key).decode()}\n" for name, key in keys.items()]
        if self._digest_key:
            lines.append(f"digest {base64.b64encode(self._digest_key).decode()}\n")
        try:
            _put(self._path, _NOTE + "".join(lines), _replace)
        except OSError as error:
            raise ConflictError(
                f"the key file {self._path} cannot be written: {error.strerror}",
                hint="write it where it comes from, and start the servers again: its last key is the newest",
                code="key-file-unusable",
            ) from error
        self.reload()


def _text(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise ConflictError(
                f"the key file {path} may be read by others (mode {mode:04o})",
                hint=f"chmod 600 {path}",
                code="key-file-open",
            )
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise ConflictError(
            f"the key file {path} cannot be read or made: {error.strerror}", code="key-file-unusable"
        ) from error
    except UnicodeDecodeError as error:
        raise _damaged(path) from error


def _make(path: Path) -> None:
    """A new file, whole and on disk before it has its name: what is sealed must never outlive its key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, digest = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    _put(path, f"{_NOTE}seal {os.urandom(_ID).hex()} {key}\ndigest {digest}\n", _link)


def _put(path: Path, text: str, name: Callable[[Path, Path], None]) -> None:
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        name(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was faster; its keys count
    _sync(path.parent)


def _replace(draft: Path, path: Path) -> None:
    os.replace(draft, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _parsed(text: str, path: Path) -> tuple[dict[bytes, bytes], bytes]:
    keys: dict[bytes, bytes] = {}
    digest = b""
    try:
        for line in text.splitlines():
            match line.split():
                case ["seal", name, key]:
                    keys[bytes.fromhex(name)] = base64.b64decode(key, validate=True)
                case ["digest", key]:
                    digest = base64.b64decode(key, validate=True)
                case [] | ["#", *_]:
                    pass
                case _:
                    raise _damaged(path)
    except (ValueError, binascii.Error) as error:
        raise _damaged(path) from error
    whole = keys and all(len(name) == _ID and len(key) == 32 for name, key in keys.items())
    if not whole or len(digest) not in (0, 32):
        raise _damaged(path)
    return keys, digest


def _damaged(path: Path) -> ConflictError:
    return ConflictError(
        f"{path} is not a whole key file", hint="Put its copy back.", code="key-file-damaged"
    )
