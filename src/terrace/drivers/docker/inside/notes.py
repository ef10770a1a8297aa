"""What a Docker engine makes of properties where that is not just what they say."""

from __future__ import annotations

from typing import Final

from terrace.model.plan import Note, Verdict

_IGNORED, _MAPS, _REFUSED = Verdict.IGNORED, Verdict.MAPS, Verdict.REFUSED

NOTES: Final[dict[str, tuple[Note, ...]]] = {
    "Volume": (
        Note(_MAPS, "size", "a size that is written down: the engine's local store sets no bound"),
        Note(_MAPS, "source", "a copy of all files; whoever writes to the source is paused meanwhile"),
    ),
    "VolumeSnapshot": (
        Note(_MAPS, "volume", "a copy of all files; whoever writes to the volume is paused meanwhile"),
    ),
    "Machine": (
        Note(_IGNORED, "disk", "the engine sets no bound to a container's own disk"),
        Note(
            _MAPS,
            "user_data",
            "what Terrace's own images run at first boot; in any other image it is kept and waits, and the stack does "
            "not settle",
        ),
        Note(_MAPS, "password", "root's password in Terrace's own images; other images never take it"),
        Note(_REFUSED, "boot_volume", "a container starts from an image and never from a volume"),
        Note(_IGNORED, "tags", "a container carries no tags: Terrace alone remembers them"),
        Note(_MAPS, "group", "the one host of this engine: members together are, members apart cannot be"),
    ),
    "SoftwareDeployment": (Note(_MAPS, "config", "a script run through the engine, once for each action"),),
}
