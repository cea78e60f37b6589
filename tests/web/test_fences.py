"""Fences over HTTP: drawn, tried out, changed, ended, and on the map."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import pytest
from shapely.geometry import Point, mapping, shape

from tests.web.conftest import Browse
from tests.world import SIDE, SOUTH, WEST, World

LON, LAT = WEST + 0.015, SOUTH + 0.005


def buffer(radius_m: float = 100.0, lon: float = LON) -> dict[str, Any]:
    return {"geometry": mapping(Point(lon, LAT)), "crs": "WGS84", "radius_m": radius_m}


def test_a_fence_is_tried_out_made_changed_and_ended(world: World, browse: Browse) -> None:
    operator = browse("operator.0")
    tried = operator.post("/api/fences/preview", {"kind": "buffer", "source": buffer()})
    assert tried.status_code == 200, tried.text
    assert tried.get_json()["area_m2"] == pytest.approx(3.14159 * 100**2, rel=0.01)
    made = operator.post(
        "/api/fences",
        {
            "name": "学校周边",
            "kind": "buffer",
            "source": buffer(),
            "dwell_s": 120,
            "unit_kinds": ["patrol"],
            "calendar": {
                "hours": [["07:00", "08:30"], ["16:00", "18:00"]],
                "days": "workdays",
                "from": "2026-06-01",
            },
        },
    )
    assert made.status_code == 201, made.text
    fence = made.get_json()
    assert shape(fence["geometry"]).contains(Point(LON, LAT))
    assert fence["calendar"]["from"] == "2026-06-01"
    (line,) = operator.get("/api/fences").get_json()["items"]
    assert (line["id"], line["geometry"], line["version"]) == (fence["id"], None, 1)
    renamed = operator.patch(f"/api/fences/{fence['id']}", {"version": 1, "name": "学校"})
    assert (renamed.get_json()["name"], renamed.get_json()["version"]) == ("学校", 1)
    wider = operator.patch(
        f"/api/fences/{fence['id']}",
        {"version": 1, "kind": "buffer", "source": buffer(200.0), "calendar": None},
    )
    assert (wider.get_json()["version"], wider.get_json()["calendar"]) == (2, None)
    assert operator.patch(f"/api/fences/{fence['id']}", {"version": 1, "dwell_s": 5}).status_code == 409
    assert operator.patch(f"/api/fences/{fence['id']}", {"version": 2, "exit_s": None}).status_code == 422
    assert operator.patch(f"/api/fences/{fence['id']}", {"version": 2, "source": buffer()}).status_code == 422
    assert operator.post(f"/api/fences/{fence['id']}/archive", {"reason": "over"}).status_code == 204
    assert operator.get("/api/fences").get_json()["items"] == []
    assert len(operator.get("/api/fences?over=true").get_json()["items"]) == 1


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("polygon", {"geometry": mapping(Point(LON, LAT).buffer(1e-3)), "crs": "GCJ-02"}),
    (
        "isochrone",
        {"geometry": mapping(Point(LON, LAT).buffer(1e-3)), "crs": "WGS84", "mode": "car", "minutes": 5},
    ),
    (
        "corridor",
        {
            "geometry": {"type": "LineString", "coordinates": [[LON, LAT], [LON + 1e-3, LAT]]},
            "crs": "CGCS2000",
            "half_width_m": 15,
        },
    ),
]


def test_each_kind_has_a_shape(world: World, browse: Browse) -> None:
    operator = browse("operator.0")
    for kind, source in KINDS:
        tried = operator.post("/api/fences/preview", {"kind": kind, "source": source})
        assert tried.status_code == 200, tried.text
        assert tried.get_json()["area_m2"] > 100
    source = {"area_ids": [world.grid_ids[0][1]]}
    alone = operator.post("/api/fences/preview", {"kind": "grid", "source": source}).get_json()
    with_beside = operator.post(
        "/api/fences/preview", {"kind": "grid", "source": {**source, "neighbours": True}}
    ).get_json()
    assert with_beside["area_m2"] == pytest.approx(3 * alone["area_m2"], rel=1e-3)
    west, _, east, _ = shape(with_beside["geometry"]).bounds
    assert (west, east) == pytest.approx((WEST, WEST + 3 * SIDE))
    # Without an engine an isochrone is refused and not made up.
    asked = {"lon": LON, "lat": LAT, "crs": "WGS84", "mode": "car", "minutes": 5}
    answer = operator.post("/api/fences/preview", {"kind": "isochrone", "source": asked})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "routing_unavailable")


def test_who_may_not_draw_is_refused_and_events_need_a_reason(world: World, browse: Browse) -> None:
    body = {"name": "x", "kind": "buffer", "source": buffer()}
    assert browse("analyst.0").post("/api/fences", body).status_code == 403
    assert browse("operator.1").post("/api/fences", body).get_json()["code"] == "out_of_write_scope"
    assert browse("administrator").get("/api/fences").status_code == 403
    operator = browse("operator.0")
    made = operator.post("/api/fences", {"name": "x", "kind": "buffer", "source": buffer()}).get_json()
    assert operator.get(f"/api/fences/{made['id']}/events").status_code == 422
    assert operator.get(f"/api/fences/{made['id']}/events?reason=N-1").get_json()["items"] == []
    assert browse("analyst.0").get(f"/api/fences/{made['id']}/events?reason=N-1").status_code == 403


def test_the_map_shows_fences_of_ones_own_area(world: World, browse: Browse) -> None:
    operator = browse("operator.0")
    made = operator.post("/api/fences", {"name": "x", "kind": "buffer", "source": buffer()}).get_json()
    (layer,) = [one for one in operator.get("/api/layers").get_json()["items"] if one["key"] == "fences"]
    zoom = 10
    column = int((LON + 180) / 360 * 2**zoom)
    url = layer["url"].replace("{z}", str(zoom)).replace("{x}", str(column)).replace("{y}", "427")
    rows = [url.replace("/427.mvt", f"/{row}.mvt") for row in range(425, 430)]

    def shown(login: str) -> list[str]:
        viewer = browse(login)
        found = [viewer.get(row).data for row in rows]
        return [
            feature["properties"]["id"]
            for data in found
            if data
            for feature in mapbox_vector_tile.decode(data)["fences"]["features"]
        ]

    assert set(shown("operator.0")) == {made["id"]}
    assert shown("operator.1") == []
    operator.post(f"/api/fences/{made['id']}/archive")
    (after,) = [one for one in operator.get("/api/layers").get_json()["items"] if one["key"] == "fences"]
    assert after["url"] != layer["url"]
