"""One blueprint per noun; a handler is parse, one call, reply."""

from __future__ import annotations

from apiflask import APIBlueprint

from web.api.administration import administration
from web.api.alarms import alarms
from web.api.areas import areas
from web.api.basemap import basemap
from web.api.blobs import blobs
from web.api.callouts import callouts
from web.api.cameras import cameras
from web.api.closures import closures
from web.api.cover import cover
from web.api.devices import devices
from web.api.dispatches import dispatches
from web.api.export import export
from web.api.fences import fences
from web.api.hand_overs import hand_overs
from web.api.health import health
from web.api.incidents import cases
from web.api.layers import layers
from web.api.live import live
from web.api.majors import majors
from web.api.notices import notices
from web.api.patrol import patrol
from web.api.patrol_routes import patrol_routes
from web.api.plans import plans
from web.api.positions import positions
from web.api.radio import radio
from web.api.replay import replay
from web.api.reports import reports
from web.api.risk import risk
from web.api.rosters import rosters
from web.api.routing import routing
from web.api.search import search
from web.api.session import session
from web.api.shifts import shifts
from web.api.tasks import tasks
from web.api.trackers import trackers
from web.api.units import units
from web.api.vocab import vocab
from web.api.wall import wall
from web.api.welfare import welfare

BLUEPRINTS: tuple[APIBlueprint, ...] = (
    session,
    reports,
    cases,
    dispatches,
    callouts,
    plans,
    tasks,
    hand_overs,
    notices,
    radio,
    patrol,
    welfare,
    rosters,
    shifts,
    majors,
    patrol_routes,
    replay,
    positions,
    trackers,
    devices,
    units,
    live,
    routing,
    search,
    areas,
    layers,
    basemap,
    cameras,
    closures,
    fences,
    cover,
    risk,
    alarms,
    blobs,
    export,
    vocab,
    wall,
    administration,
    health,
)
