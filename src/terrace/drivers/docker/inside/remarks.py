"""What a Docker engine makes of properties where that is not just what they say."""

from __future__ import annotations

from typing import Final

from terrace.model.plan import Note, Verdict

_IGNORED, _MAPS = Verdict.IGNORED, Verdict.MAPS

REMARKS: Final[dict[str, dict[str, Note]]] = {
    "Volume": {
        "size": Note(_MAPS, "size", "a size that is written down: the engine's local store sets no bound"),
        "source": Note(
            _MAPS, "source", "a copy of all files; whoever writes to the source is paused meanwhile"
        ),
    },
    "VolumeSnapshot": {
        "volume": Note(
            _MAPS, "volume", "a copy of all files; whoever writes to the volume is paused meanwhile"
        ),
    },
    "Machine": {
        "disk": Note(_IGNORED, "disk", "the engine sets no bound to a container's own disk"),
        "user_data": Note(
            _MAPS,
            "user_data",
            "what Terrace's own images run at first boot; in any other image it is kept and waits, and the stack does "
            "not settle",
        ),
        "password": Note(
            _MAPS, "password", "root's password in Terrace's own images; other images never take it"
        ),
        "group": Note(
            _MAPS, "group", "the one host of this engine: members together are, members apart cannot be"
        ),
    },
    "SoftwareDeployment": {
        "config": Note(_MAPS, "config", "a script run through the engine, once for each action"),
    },
}
