"""Ownership and names as written on real things."""

from __future__ import annotations

import re
from collections.abc import Mapping

from terrace.model.seen import Names, Owner

INSTALLATION = "terrace.installation"
UID = "terrace.uid"
INCARNATION = "terrace.incarnation"
DIGEST = "terrace.digest"
NAME = "terrace.name"
PROJECT = "terrace.project"
SIZE = "terrace.size"
USER_DATA = "terrace.user-data"
KIND = "terrace.kind"
OF = "terrace.of"  # what a snapshot was made of
HELPER = "terrace.helper"  # on a container that copies: the volume that it makes, "-" for one that was there
PAUSED = "terrace.paused"
RECIPE = "terrace.recipe"

_ODD = re.compile(r"[^a-zA-Z0-9_.-]+")


def written(owner: Owner, names: Names, name: str) -> dict[str, str]:
    """The labels of a thing of `owner`. What is in `names` and `name` is for people only."""
    labels = {
        INSTALLATION: owner.installation,
        UID: owner.uid,
        INCARNATION: str(owner.incarnation),
        DIGEST: owner.digest,
        NAME: name,
        PROJECT: names.project,
        "terrace.stack": names.stack,
        "terrace.path": names.path,
    }
    return {key: value for key, value in labels.items() if value}


def read(labels: Mapping[str, str] | None) -> Owner | None:
    """Whose it is; None when it is not Terrace's, or its labels make no sense."""
    if not labels or not labels.get(INSTALLATION) or not labels.get(UID):
        return None
    number = labels.get(INCARNATION, "")
    if not number.isdigit():
        return None
    return Owner(labels[INSTALLATION], labels[UID], int(number), labels.get(DIGEST, ""))


def same(one: Owner | None, other: Owner) -> bool:
    """Whether both mean the same incarnation of the same thing, whatever it was made from."""
    return one is not None and (one.installation, one.uid, one.incarnation) == (
        other.installation,
        other.uid,
        other.incarnation,
    )


def engine_name(owner: Owner, names: Names) -> str:
    """The name on the engine, which lets it be made once only. It follows from (uid, incarnation) and the
    path in the stack alone: the stack's own name may change between two attempts."""
    path = _ODD.sub("-", names.path).strip("-._")[:40] or "thing"
    return f"{path}-{owner.uid}-{owner.incarnation}"


def form_of(user_data: str) -> str:
    """What kind of user data it is, as far as its beginning tells: script, cloud-config, parts or other."""
    if user_data.startswith("#!"):
        return "script"
    if user_data.startswith("#cloud-config"):
        return "cloud-config"
    head = user_data[:4096].partition("\n\n")[0].lower()
    return "parts" if re.search(r"^(content-type:|mime-version:)", head, re.MULTILINE) else "other"


def host_name(name: str) -> str:
    """`name` as a host name: at most 63 letters, digits and dashes."""
    return re.sub(r"[^a-zA-Z0-9-]+", "-", name)[:63].strip("-") or "machine"
