"""API v1: the use cases over HTTP. Knows how they look there, and nothing of how they are done."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from terrace import __version__
from terrace.api import events, guests, history, operations, people, providers, resources, server, stacks
from terrace.api.callers import caller
from terrace.api.documents import BodyLimit
from terrace.api.edge import health
from terrace.api.edge.openapi import publish
from terrace.api.edge.rates import Rates
from terrace.api.edge.repeats import Repeats
from terrace.api.engines import members
from terrace.api.people.lasting import Lasting
from terrace.api.problems import install
from terrace.api.signals import doors, wishes
from terrace.api.vault import flavors, keys, quotas, secrets
from terrace.services import Services
from terrace.services.signals import BODY

ROUTERS = (
    stacks, resources, events, history, *operations.ROUTERS, guests, server, providers, doors, wishes, health,
    *people.ROUTERS, secrets, keys, quotas, flavors, members,
)  # fmt: skip
"""What is asked for most comes first: a path is looked for in one after the other."""


def build_doors(services: Services) -> FastAPI:
    """The app that guests reach: it takes signals, and knows of nothing else."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.services = services
    app.include_router(doors.router)
    app.add_middleware(BodyLimit, limit=BODY)
    install(app, services.telemetry)
    return app


def build(services: Services) -> FastAPI:
    """The app that serves `services`."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
        dependencies=[Depends(caller)],
    )
    app.state.services = services
    app.state.doors = ()
    for module in ROUTERS:
        app.include_router(module.router)
    limits = services.settings.server
    app.add_middleware(Lasting)
    if services.requests is not None:
        app.add_middleware(Repeats, requests=services.requests, telemetry=services.telemetry)
    app.add_middleware(BodyLimit, limit=services.settings.limits.body)
    app.add_middleware(Rates, telemetry=services.telemetry, rate=limits.rate, burst=limits.burst)
    install(app, services.telemetry)
    publish(app, __version__)
    return app
