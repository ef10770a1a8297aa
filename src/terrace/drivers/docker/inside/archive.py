"""Archives that come out of guests: the engine packs them, but what is in them is the guest's word."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator


def members(packed: bytes) -> Iterator[tuple[str, bytes | None]]:
    """The name and content of each entry of a tar archive, until one was cut off; None for what is no plain file.

    Everything stays in memory, and in no more of it than the archive itself: it is not unpacked when it is compressed,
    no link is followed, and no hole of a sparse file is filled."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for member in tar:
                plain = member.isreg() and not member.issparse()
                held = tar.extractfile(member) if plain else None
                yield member.name, held.read() if held is not None else None
    except (tarfile.TarError, EOFError):
        return
