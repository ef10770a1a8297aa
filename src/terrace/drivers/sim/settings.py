"""What a provider's TOML table may say of a simulated provider.

[providers.play]
driver = "sim"
latency = [0.05, 0.2]        # least and most seconds of a request
work = { Machine = 3.0 }     # seconds that a create goes on after it was accepted
"""

from __future__ import annotations

from typing import Literal

import msgspec

from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue, Flavor


class SimSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated provider. `latency`: least and most seconds of a request; `work`: seconds that the create of a
    kind goes on; `lag`: seconds until a change shows in listings, at most; `unreliable`: the share of requests that
    fail for a moment; `quota`: how many of a kind there may be. `create_once`: what keeps it from making two for one.
    `concurrency` steps at once; `rate` steps a second (0: any); `timeout` seconds of a request. `seed` of its
    randomness. `socket`: where a simulated provider that is a process of its own answers; "": it is in the server, and
    its things are gone with it."""

    latency: tuple[float, float] = (0.0, 0.0)
    work: dict[str, float] = {}
    lag: float = 0.0
    unreliable: float = 0.0
    quota: dict[str, int] = {}
    create_once: Literal["by_name", "by_token", "none"] = "by_name"
    concurrency: int = 64
    rate: float = 0.0
    timeout: float = 5.0
    publish: bool = True
    seed: int = 0
    socket: str = ""
    flavors: dict[str, Flavor] = {}
    images: dict[str, str] = {}
    keys: dict[str, str] = {}

    def __post_init__(self) -> None:
        """ValueError, in words for the owner of the settings."""
        least, most = self.latency
        if not 0 <= least <= most:
            raise ValueError("latency needs two numbers of seconds, the smaller one first")
        if not 0 <= self.unreliable < 1:
            raise ValueError("unreliable is a share, from 0 up to but not 1")
        if not 0 < self.timeout <= 30:
            raise ValueError("timeout must lie between 0 and 30 seconds")
        if self.concurrency < 1 or self.lag < 0 or self.rate < 0:
            raise ValueError("concurrency must be at least 1, lag and rate not below 0")

    def faults(self) -> Faults:
        """What these settings ask to go wrong."""
        share = self.unreliable / 2
        rules = (Rule(Trouble.BROKEN, share), Rule(Trouble.THROTTLED, share)) if share else ()
        latency = {"*": self.latency} if self.latency[1] else {}
        return Faults(rules=rules, latency=latency, lag=self.lag, work=self.work, quota=self.quota)

    def catalogue(self) -> Catalogue:
        """Built-in flavors and images with the settings' own on top."""
        return Catalogue({**FLAVORS, **self.flavors}, {**IMAGES, **self.images}, self.keys)
