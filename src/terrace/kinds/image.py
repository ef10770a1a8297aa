"""What machines start from."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from terrace.errors import SpecError
from terrace.kinds.rules.check import closest
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.spec.simple import ImageSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

REFERENCE = r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,254}"


class Image(Noun):
    """An image. It belongs to everybody: made when missing, never deleted with a stack."""

    name = "Image"
    shared = True
    schema: ClassVar[Schema] = Schema(
        properties={
            "source": Property(
                Type.STRING,
                "A name from the provider's catalogue, a reference of the provider, recipe:NAME, or the address of an "
                "archive, if the provider allows it.",
                required=True,
            ),
            "pull": Property(
                Type.STRING,
                "When to fetch it: missing (only when it is not there), always, or never.",
                default="missing",
                allowed=("missing", "always", "never"),
                changes=Effect.UPDATE,
            ),
            "certificates": Property(
                Type.BOOLEAN,
                "Whether a recipe trusts the certificate authorities that this host trusts.",
                default=True,
            ),
            "format": Property(
                Type.STRING, "What kind of file an address leads to: archive, or that of a disk.", default=""
            ),
        },
        attributes={
            "id": "Its id at the provider.",
            "name": "What was asked for.",
            "size": "Bytes.",
            "digest": "What it is exactly.",
        },
        description="What machines start from. A machine that names an image makes one of these by itself.",
    )
    rules: ClassVar[Rules] = Rules(always=frozenset({"pull"}), defaults=defaults_of(ImageSpec))

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ImageSpec:
        """The typed spec, with the source looked up in the provider's catalogue."""
        source: Any = plain["source"]
        if source is not UNKNOWN:
            source = resolve(source, capabilities)
        return ImageSpec(source, plain["pull"], plain["certificates"], plain["format"])


def allowed(address: str, capabilities: Capabilities) -> str:
    """The address of an image, if the provider allows it. SpecError otherwise: nothing is ever asked of an address that
    its settings do not name, so that what a template says cannot be used to look around in a network."""
    parts = urlsplit(address)
    fits = any(address.startswith(prefix) for prefix in capabilities.image_urls)
    plain = parts.scheme in ("http", "https") and "@" not in parts.netloc and "\\" not in address
    if not fits or not plain or ".." in parts.path.split("/") or "%2e" in address.lower():
        raise SpecError(
            "this provider fetches no image from that address",
            ("source",),
            hint="its settings say from where (image_urls), or name the image of a registry",
            code="not-allowed",
        )
    return address


def resolve(source: str, capabilities: Capabilities) -> str:
    """What the provider makes or fetches for the image that a template calls `source`. SpecError for what
    can be no reference, and for a plain name that is not in the catalogue but near one that is."""
    images = capabilities.catalogue.images
    if source in images:
        return images[source]
    if "://" in source:
        return allowed(source, capabilities)
    if not re.fullmatch(REFERENCE, source):
        raise SpecError(
            f'"{source}" is not the name of an image',
            ("source",),
            hint="terrace image list",
            code="unknown-image",
        )
    near = "" if any(mark in source for mark in "/:@") else closest(source, images)
    if near:
        raise SpecError(
            f'there is no image "{source}"',
            ("source",),
            hint=f'did you mean "{near}"? (an image of that name in a registry: "{source}:latest")',
            code="unknown-image",
        )
    return source
