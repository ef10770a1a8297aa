"""Use cases: what people and programs can ask Terrace for, each through the gate."""

from __future__ import annotations

from terrace.services.across.owned import OwnedStacks
from terrace.services.admission import Admission
from terrace.services.doctor import Doctor
from terrace.services.engines.members import Engines
from terrace.services.events import Events
from terrace.services.flavors import FlavorKeeping
from terrace.services.gate import Surface
from terrace.services.ghosts import Ghosts
from terrace.services.guests import Inside
from terrace.services.history import History
from terrace.services.images import Images
from terrace.services.operations.adoption import Adoption
from terrace.services.operations.changing import Changing
from terrace.services.operations.hooks import Hooks
from terrace.services.operations.looking import Looking
from terrace.services.operations.orders import Orders
from terrace.services.operations.snapshots import Snapshots
from terrace.services.outputs import Outputs
from terrace.services.people import People, Registry
from terrace.services.people.audit import Audit
from terrace.services.providers import Providers
from terrace.services.quotas import QuotaKeeping
from terrace.services.resources import Resources
from terrace.services.secrets import KeyKeeping, NamedSecrets
from terrace.services.settings import Settings
from terrace.services.signals import Signals, Sizes
from terrace.services.stacks import Stacks


class Services:
    """All use cases of one server. `installation` is the id that its labels carry, `registry` where people are written
    down."""

    def __init__(self, surface: Surface, settings: Settings, installation: str, registry: Registry) -> None:
        self.settings = settings
        self.installation = installation
        self.telemetry = surface.telemetry
        self.requests = surface.requests
        self.people = People(surface, registry, settings)
        self.audit = Audit(surface.gate, registry.log, surface.controller.secrets)
        reach = surface.controller.reach
        drivers = surface.controller.drivers
        admission = Admission(settings, drivers, reach, surface.store, self.people.reaching)
        self.stacks = Stacks(surface, admission)
        self.owned = OwnedStacks(surface, self.stacks, admission)
        self.resources = Resources(surface)
        self.orders = Orders(surface, self.resources)
        self.looking = Looking(surface)
        self.hooks = Hooks(surface)
        self.adoption = Adoption(surface, self.stacks, installation)
        self.history = History(surface, self.stacks)
        self.changing = Changing(surface, self.stacks, self.history)
        self.snapshots = Snapshots(surface, self.stacks)
        self.outputs = Outputs(surface)
        self.secrets = NamedSecrets(surface)
        self.quotas = QuotaKeeping(surface)
        self.flavors = FlavorKeeping(surface, self.people.reaching)
        self.keys = KeyKeeping(surface, alone=not settings.store.url)
        self.events = Events(surface)
        self.providers = Providers(surface, settings, self.people.reaching)
        self.ghosts = Ghosts(surface, self.providers)
        self.images = Images(surface, self.providers, installation)
        self.inside = Inside(surface, self.providers)
        self.sizes = Sizes(surface)
        self.signals = Signals(surface, self.sizes)
        self.engines = Engines(surface)
        self.doctor = Doctor(surface, settings, self.providers)

    def close(self) -> None:
        """The server was told to stop: what would never end ends now, and nothing new is asked for."""
        self.doctor.stopping = True
        self.stacks.close()
        self.events.close()
