"""What to ask of every route that answers: the questions through which one county's case could reach another's desk."""

from __future__ import annotations

import math
from typing import Any, Protocol
from urllib.parse import quote

from tests.world import World


def tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)
    return x, y


class Secrets(Protocol):
    """What lies in county 0: `made` holds the ids of what its desk made, by noun."""

    case: dict[str, Any]
    hidden: dict[str, Any]
    blob_id: str
    unit_id: str
    camera_id: str
    lon: float
    lat: float
    made: dict[str, str]


def requests_of(rule: str, secrets: Secrets, words: list[str], world: World, layers: list[str]) -> list[str]:
    """Every question to a route that could bring the secret to light. Unknown routes have no answer here."""
    lon, lat, case, hidden = secrets.lon, secrets.lat, secrets.case["id"], secrets.hidden["id"]
    every = "status=open,assigned,returned,awaiting_verification,closed"
    box = "bbox=112,27,114,29"
    county = world.county_ids[0]
    lists = [
        "",
        f"?{every}",
        f"?{box}",
        f"?area={county}",
        "?limit=500",
        *(f"?q={quote(word)}" for word in words),
    ]
    cases = (case, hidden)
    known: dict[str, list[str]] = {
        "/api/incidents": [f"/api/incidents{query}" for query in lists],
        "/api/incidents/nearby": [f"/api/incidents/nearby?lon={lon}&lat={lat}&radius_m=2000"],
        "/api/incidents/<uuid:incident_id>": [f"/api/incidents/{one}" for one in cases],
        "/api/incidents/<uuid:incident_id>/recommendation": [
            f"/api/incidents/{one}/recommendation" for one in cases
        ],
        "/api/incidents/<uuid:incident_id>/route": [
            f"/api/incidents/{one}/route?unit={secrets.unit_id}" for one in cases
        ],
        "/api/incidents/<uuid:incident_id>/callouts": [f"/api/incidents/{one}/callouts" for one in cases],
        "/api/incidents/<uuid:incident_id>/plan": [f"/api/incidents/{one}/plan" for one in cases],
        "/api/plans": ["/api/plans"],
        "/api/agreements": ["/api/agreements"],
        "/api/notices": ["/api/notices"],
        "/api/units": ["/api/units", f"/api/units?{box}", "/api/units?status=free,busy,break,off_duty"],
        "/api/search": [
            f"/api/search?q={quote(word)}{near}" for word in words for near in ("", f"&lon={lon}&lat={lat}")
        ],
        "/api/areas": ["/api/areas", f"/api/areas?parent={county}"],
        "/api/areas/<int:area_id>": [f"/api/areas/{county}", f"/api/areas/{world.grid_ids[0][0]}"],
        "/api/layers": ["/api/layers"],
        "/api/tiles/<layer_key>/<version>/<int:z>/<int:x>/<int:y>.mvt": [
            f"/api/tiles/{layer}/1/{zoom}/{x}/{y}.mvt"
            for layer in layers
            for zoom in (0, 9, 13, 14, 16, 18)
            for x, y in [tile_of(lon, lat, zoom)]
        ],
        "/api/cameras": [f"/api/cameras?{box}"],
        "/api/cameras/<uuid:camera_id>": [f"/api/cameras/{secrets.camera_id}"],
        "/api/alarms": ["/api/alarms", "/api/alarms?all=true"],
        "/api/cover": ["/api/cover", "/api/cover?gaps=true"],
        "/api/cover/rings": [f"/api/cover/rings?area={county}", f"/api/cover/rings?unit={secrets.unit_id}"],
        "/api/blobs/<uuid:blob_id>": [f"/api/blobs/{secrets.blob_id}"],
        "/api/export/incidents.<ending>": [
            f"/api/export/incidents.{ending}{query}" for ending in ("csv", "xlsx") for query in lists[:4]
        ],
        "/api/export/units.<ending>": [f"/api/export/units.{ending}" for ending in ("csv", "xlsx")],
        "/api/export/cameras.<ending>": [
            f"/api/export/cameras.{ending}{query}" for ending in ("csv", "xlsx") for query in ("", f"?{box}")
        ],
        "/api/patrol/state": ["/api/patrol/state"],
        "/api/me": ["/api/me"],
        "/api/me/sessions": ["/api/me/sessions"],
        "/api/accounts": ["/api/accounts"],
        "/api/people": ["/api/people"],
        "/api/grants": ["/api/grants"],
        "/api/tokens": ["/api/tokens"],
        "/api/audit": ["/api/audit?limit=500"],
        "/api/vocab": ["/api/vocab"],
        "/api/basemap/style.json": ["/api/basemap/style.json"],
        "/basemap/<name>.pmtiles": ["/basemap/none.pmtiles"],
    }
    # The stream has a test of its own.
    known |= {"/api/live": ["/api/me"]} | _of_dispatch(secrets, cases)
    return known.get(rule, [])


def _of_dispatch(secrets: Secrets, cases: tuple[str, ...]) -> dict[str, list[str]]:
    made, unit = secrets.made, secrets.unit_id
    place = f"lon={secrets.lon}&lat={secrets.lat}"
    run = made.get("run", unit)
    surface = f"/api/risk/runs/{run}/theft"
    return {
        "/api/risk/words": ["/api/risk/words"],
        "/api/risk/runs": ["/api/risk/runs", "/api/risk/runs?horizon=week"],
        "/api/risk/runs/<uuid:run_id>/<group>": [surface, f"/api/risk/runs/{run}/all"],
        "/api/risk/runs/<uuid:run_id>/<group>/areas": [f"{surface}/areas?level=grid"],
        "/api/risk/runs/<uuid:run_id>/<group>/outlines": [f"{surface}/outlines?level=grid"],
        "/api/risk/surface/<uuid:run_id>/<group>/<which>.png": [
            f"/api/risk/surface/{run}/theft/forecast.png"
        ],
        "/api/risk/jobs": ["/api/risk/jobs"],
        "/api/risk/export/<uuid:run_id>/<group>.<ending>": [
            f"/api/risk/export/{run}/theft.{ending}?purpose=x&days=1"
            for ending in ("xlsx", "geojson", "pdf", "tif")
        ],
        "/api/risk/inspections": ["/api/risk/inspections", "/api/risk/inspections?all=true"],
        "/api/risk/warnings": ["/api/risk/warnings"],
        "/api/risk/warnings/alarms": ["/api/risk/warnings/alarms"],
        "/api/risk/mutes": ["/api/risk/mutes"],
        "/api/closures": ["/api/closures", "/api/closures?over=true"],
        "/api/devices": ["/api/devices", f"/api/devices?unit={unit}"],
        "/api/devices/units": ["/api/devices/units"],
        "/api/patrol/devices": ["/api/patrol/devices"],
        "/api/fences": ["/api/fences", "/api/fences?over=true"],
        "/api/fences/<uuid:fence_id>": [f"/api/fences/{made['fence']}"],
        "/api/fences/<uuid:fence_id>/events": [f"/api/fences/{made['fence']}/events?reason=why"],
        "/api/incidents/<uuid:incident_id>/after-action": [
            f"/api/incidents/{one}/after-action?reason=why" for one in cases
        ],
        "/api/incidents/<uuid:incident_id>/replay": [
            f"/api/incidents/{one}/replay?reason=why" for one in cases
        ],
        "/api/majors": ["/api/majors", "/api/majors?all=true"],
        "/api/majors/<uuid:major_id>": [f"/api/majors/{made['major']}"],
        "/api/plans/<key>/versions": ["/api/plans/fire/versions"],
        "/api/patrol-routes": ["/api/patrol-routes"],
        "/api/patrol-routes/<uuid:route_id>/legs": [f"/api/patrol-routes/{made['route']}/legs"],
        "/api/recommendations": [f"/api/recommendations?incidents={one}" for one in cases],
        "/api/rosters": ["/api/rosters", f"/api/rosters?unit={unit}"],
        "/api/rosters/colleagues": ["/api/rosters/colleagues"],
        "/api/rosters/swaps": ["/api/rosters/swaps"],
        "/api/rosters/people": ["/api/rosters/people"],
        "/api/routing/isochrone": [f"/api/routing/isochrone?{place}&mode=car&minutes=5"],
        "/api/shifts/handover/<uuid:handover_id>": [f"/api/shifts/handover/{made['handover']}"],
        "/api/shifts/handovers": ["/api/shifts/handovers"],
        "/api/shifts/open": ["/api/shifts/open"],
        "/api/trackers/osmand": ["/api/trackers/osmand?id=x&lat=1&lon=1"],
        "/api/wall": ["/api/wall"],
    }
