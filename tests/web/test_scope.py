"""Nobody of one county reads another's case: through no address, tile, search, export or stream."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from PIL import Image
from sqlalchemy import text
from werkzeug.test import TestResponse

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import Camera
from gridmap.domain.ids import new_id
from gridmap.domain.vocab import vocabulary
from gridmap.services.transaction import system_transaction
from layers.registry import registry
from tests.web.conftest import Browse, Browser
from tests.web.scope_questions import requests_of
from tests.world import World
from web.guards import guard_of
from web.site import EXTENSION

TITLE, ADDRESS, NOTE = "ZEBRAFISH smoke", "QUOKKA LANE 9", "XYLOPHONE"
PHONE, CALLER = "13911112222", "AARDVARK"
CAMERA, CALL_SIGN = "OKAPI camera", "NARWHAL"
HIDDEN_TITLE, HIDDEN_ADDRESS = "PANGOLIN quarrel", "AXOLOTL COURT 3"
# Names of what a desk of county 0 made: a major event, a fence, a patrol route, a handover's note, a roster's vehicle,
# a risk run's purpose.
DEEDS = ("LYREBIRD", "GIBBON", "IBEX", "WOMBAT", "TAPIR", "MARMOT")


@dataclass
class Secrets:
    """What lies in county 0, and how it would show."""

    case: dict[str, Any]
    hidden: dict[str, Any]
    report_id: str
    dispatch_id: str
    blob_id: str
    unit_id: str
    camera_id: str
    lon: float
    lat: float
    made: dict[str, str]

    @property
    def of_case(self) -> set[str]:
        return {
            self.case["id"],
            self.case["number"],
            "ZEBRAFISH",
            "QUOKKA",
            NOTE,
            self.report_id,
            self.dispatch_id,
            *self.made.values(),
            *DEEDS,
        }

    @property
    def of_hidden(self) -> set[str]:
        return {self.hidden["id"], self.hidden["number"], "PANGOLIN", "AXOLOTL"}

    @property
    def of_contact(self) -> set[str]:
        return {PHONE, CALLER}

    @property
    def of_places(self) -> set[str]:
        return {self.unit_id, CALL_SIGN, self.camera_id, "OKAPI"}


@pytest.fixture
def secrets(browse: Browse, world: World, database: Database, clock: FixedClock) -> Secrets:
    """County 0: a case with everything on it, a restricted one, a unit, a camera. County 1: one case of its own."""
    _, unit_id = world.officer(CALL_SIGN, 0)
    officer = browse(CALL_SIGN)
    desk = browse("operator.0")
    lon, lat = world.point_in(0)
    case = report(desk, lon, lat, "S1.03", TITLE, ADDRESS, contact={"name": CALLER, "phone": PHONE})
    here = f"/api/incidents/{case['id']}"
    ok(desk.post(f"{here}/note", {"text": NOTE}))
    job = ok(desk.post(f"{here}/dispatches", {"unit_id": str(unit_id)}), 201)
    ok(officer.post(f"/api/dispatches/{job['id']}/accept"))
    photo = photograph(officer, case["id"])
    restricted = next(key for key, row in vocabulary().classes.items() if row.restricted and row.parent)
    hidden = report(browse("shift_lead.0"), lon, lat, restricted, HIDDEN_TITLE, HIDDEN_ADDRESS)
    own_lon, own_lat = world.point_in(1)
    report(browse("operator.1"), own_lon, own_lat, "S1.03", "own smoke", "OWN STREET 1")
    with system_transaction(database, clock) as tx:
        camera = Camera(
            id=new_id(),
            name=CAMERA,
            status="online",
            geom=f"SRID=4326;POINT({lon} {lat})",
            area_id=world.grid_ids[0][0],
            scope_path=f"{world.county_paths[0]}.{world.grid_ids[0][0]}",
        )
        tx.session.add(camera)
        tx.session.execute(
            text(
                "insert into alarm (id, kind, severity, subject_kind, subject_id, incident_id, scope_path, params,"
                " raised_at) values (:id, 'dispatch_overdue', 1, 'incident', :case, :case, cast(:path as ltree),"
                " jsonb_build_object('number', cast(:number as text)), :at)"
            ),
            {
                "id": new_id(),
                "case": case["id"],
                "path": world.county_paths[0],
                "number": case["number"],
                "at": tx.now,
            },
        )
    reports = ok(desk.get(here))["reports"]
    lead = browse("shift_lead.0")
    made = {
        "major": ok(lead.post("/api/majors", {"name": "LYREBIRD", "incident_ids": [case["id"]]}), 201)["id"],
        "fence": ok(lead.post("/api/fences", fence_around(lon, lat)), 201)["id"],
        "route": ok(lead.post("/api/patrol-routes", route_by(lon, lat)), 201)["id"],
        "handover": ok(desk.post("/api/shifts/handover/start", {"note": "WOMBAT"}), 201)["id"],
        "run": risk_run(world),
        "roster": ok(lead.post("/api/rosters", span_of(unit_id, clock.now())), 201)["entry"]["id"],
    }
    return Secrets(
        case, hidden, reports[0]["id"], job["id"], photo, str(unit_id), str(camera.id), lon, lat, made
    )


def risk_run(world: World) -> str:
    """A forecast of county 0, whose purpose is the marker."""
    place = {"run": new_id(), "area": world.county_ids[0], "grid": world.grid_ids[0][0]}
    with system_transaction(world.database, world.clock) as tx:
        for statement in (
            "insert into risk_run (id, area_id, scope_path, horizon, origin_on, horizon_days, made_at, seconds,"
            " author_name, purpose, params, snapshot) select :run, :area, path, 'week', current_date, 7, :now, 1,"
            " 'somebody', 'MARMOT', '{\"levels\": [\"grid\"]}', '{}' from area_version where area_id = :area",
            "insert into risk_surface (run_id, class_group, expected, low, high, model, figures) values"
            " (:run, 'theft', 1, 0, 3, 'kde', '{\"marker\": \"MARMOT\"}')",
            "insert into risk_area (run_id, class_group, area_id, scope_path, level, expected, low, high, per_km2_week,"
            " rank, rank_low, rank_high, density_rank, risk_level, recent, recent_expected, trend_ratio, trend_q,"
            " trend_real, top_hours, top_classes, known, found_share, hazards, cameras, patrol_routes, reasons)"
            " select :run, 'theft', :grid, path, 'grid', 1, 0, 3, 1, 1, 1, 4, 1, 'red', 0, 0, 1, 1, false, '{}', '[]',"
            ' 3, 0, 0, 0, 0, \'[{"code": "MARMOT", "params": {}}]\' from area_version where area_id = :grid',
            "insert into risk_rule_record (rule, area_id, scope_path, days, alarms, false_alarms, judged_at)"
            " select 'fires_together', :area, path, 1, 0, 0, :now from area_version where area_id = :area",
            "insert into task (id, kind, area_id, scope_path, status, created_at, params) select gen_random_uuid(),"
            ' \'inspection\', :area, path, \'open\', :now, \'{"note": "MARMOT", "asked_by": "x"}\''
            " from area_version where area_id = :area",
            "insert into risk_mute (id, rule, area_id, scope_path, until, reason, muted_at)"
            " select gen_random_uuid(), 'fires_together', :area, path, cast(:now as timestamptz) + interval '1 hour',"
            " 'MARMOT', :now from area_version where area_id = :area",
            "insert into alarm (id, kind, severity, scope_path, raised_at, params) select gen_random_uuid(), 'warning',"
            ' 2, path, :now, \'{"name": "MARMOT"}\' from area_version where area_id = :area',
            "insert into risk_job (id, area_id, scope_path, horizon, origin_on, asked_at, author_name, purpose)"
            " select gen_random_uuid(), :area, path, 'day', current_date, :now, 'x', 'MARMOT'"
            " from area_version where area_id = :area",
        ):
            tx.session.execute(text(statement), {**place, "now": tx.now})
    return str(place["run"])


def fence_around(lon: float, lat: float) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [lon, lat]}
    return {"name": "GIBBON", "kind": "buffer", "source": {"geometry": place, "crs": "WGS84", "radius_m": 50}}


def route_by(lon: float, lat: float) -> dict[str, Any]:
    return {
        "name": "IBEX",
        "geometry": {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.001, lat]]},
    }


def span_of(unit_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "unit_id": str(unit_id),
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=8)).isoformat(),
        "vehicle": "TAPIR",
    }


def ok(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.get_json()


def report(
    desk: Browser, lon: float, lat: float, class_key: str, words: str, address: str, **more: Any
) -> dict[str, Any]:
    body = {
        "channel": "operator",
        "class_key": class_key,
        "text": words,
        "address": address,
        "lon": lon,
        "lat": lat,
    }
    found: dict[str, Any] = ok(desk.post("/api/reports", {**body, **more}), 201)["incident"]
    return found


def photograph(officer: Browser, incident_id: str) -> str:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "JPEG")
    out.seek(0)
    answer = officer.client.post(
        "/api/blobs", data={"incident_id": incident_id, "file": (out, "a.jpg")}, headers=officer.headers
    )
    return str(ok(answer, 201)["id"])


def questions(app: APIFlask, secrets: Secrets, world: World) -> list[str]:
    layers = list(registry())
    numbers = [secrets.case["number"], secrets.hidden["number"]]
    words = [*numbers, "ZEBRAFISH", "QUOKKA", "PANGOLIN", "AXOLOTL", "OKAPI", CALL_SIGN, PHONE]
    asked: list[str] = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or is_public(app, rule.endpoint):
            continue
        found = requests_of(rule.rule, secrets, words, world, layers)
        assert found, f"the scope test does not know {rule.rule}: say what could leak through it"
        asked += found
    return asked


def is_public(app: APIFlask, endpoint: str) -> bool:
    guard = guard_of(app, endpoint)
    return guard is not None and guard.is_public


def body_of(answer: TestResponse) -> str:
    """Everything a reader could get out of it, files unpacked."""
    data = answer.data
    if answer.headers.get("Content-Encoding") == "gzip":
        data = gzip.decompress(data)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"\n".join(archive.read(name) for name in archive.namelist())
    headers = str(answer.headers)
    return data.decode("utf-8", "replace") + headers


def leaks(browser: Browser, asked: list[str], markers: set[str]) -> list[tuple[str, str]]:
    found = []
    for address in asked:
        answer = browser.get(address)
        assert answer.status_code < 500, (address, answer.text)
        # What was asked for may stand in the answer to a search, never what was found.
        shown = body_of(answer)
        found += [(address, marker) for marker in markers if marker in shown]
    return found


def test_who_works_elsewhere_sees_nothing_of_it(
    app: APIFlask, browse: Browse, world: World, secrets: Secrets
) -> None:
    world.officer("walrus", 1)
    asked = questions(app, secrets, world)
    markers = secrets.of_case | secrets.of_hidden | secrets.of_contact | secrets.of_places
    for role in ("wall", "planner", "department", "camera_maintainer"):
        world.account(f"{role}.1", role, 1)
    for login in ("operator.1", "shift_lead.1", "analyst.1", "walrus", "wall.1", "planner.1", "department.1"):
        assert leaks(browse(login), asked, markers) == [], login


def test_who_keeps_accounts_or_reads_the_trail_sees_no_content(
    app: APIFlask, browse: Browse, world: World, secrets: Secrets
) -> None:
    world.account("auditor", "auditor", None)
    asked = questions(app, secrets, world)
    content = {"ZEBRAFISH", "QUOKKA", NOTE, "PANGOLIN", "AXOLOTL"} | secrets.of_contact
    for login in ("administrator", "auditor"):
        assert leaks(browse(login), asked, content) == [], login


def test_a_restricted_case_stays_with_those_who_may_read_it(
    app: APIFlask, browse: Browse, world: World, secrets: Secrets
) -> None:
    asked = questions(app, secrets, world)
    for login in ("operator.0", "analyst.0", CALL_SIGN):
        assert leaks(browse(login), asked, secrets.of_hidden) == [], login
    assert ok(browse("shift_lead.0").get(f"/api/incidents/{secrets.hidden['id']}"))["title"] == HIDDEN_TITLE
    # Not even to who may read it does it leave the house in a file, or become a point of a tile.
    files = [address for address in asked if "/export/" in address or "/tiles/" in address]
    assert leaks(browse("shift_lead.0"), files, secrets.of_hidden) == []


def test_the_right_people_see_it_everywhere(
    app: APIFlask, browse: Browse, world: World, secrets: Secrets
) -> None:
    """The positive control: the same questions find it when its own desk asks."""
    asked = questions(app, secrets, world)
    found = leaks(
        browse("operator.0"), asked, {secrets.case["id"], secrets.case["number"], "OKAPI", CALL_SIGN}
    )
    through = {address.split("?")[0].split("/")[2].split(".")[0] for address, _ in found}
    assert {"incidents", "search", "units", "cameras", "alarms", "export", "tiles"} <= through
    deeds = leaks(browse("shift_lead.0"), asked, set(DEEDS)) + leaks(browse("operator.0"), asked, {"WOMBAT"})
    assert {marker for _, marker in deeds} == set(DEEDS)
    assert browse("operator.0").get(f"/api/blobs/{secrets.blob_id}").status_code == 200


def test_counts_of_another_county_stay_untold(browse: Browse, world: World, secrets: Secrets) -> None:
    def counted(login: str) -> tuple[int, int]:
        area = ok(browse(login).get(f"/api/areas/{world.county_ids[0]}"))
        return area["open_incidents"], area["cameras"]

    assert counted("operator.1") == (0, 0)
    assert counted("operator.0") == (1, 1)


def test_nobody_changes_what_they_cannot_see(browse: Browse, world: World, secrets: Secrets) -> None:
    here = f"/api/incidents/{secrets.case['id']}"
    job = f"/api/dispatches/{secrets.dispatch_id}"
    reason = {"reason": "because"}
    verbs: dict[str, dict[str, Any]] = {
        f"{here}/handle": {"take_over": True, **reason},
        f"{here}/reclassify": {"class_key": "S1.01", **reason},
        f"{here}/move": {"lon": secrets.lon, "lat": secrets.lat, **reason},
        f"{here}/duplicate": {"of": secrets.hidden["id"], **reason},
        f"{here}/void": reason,
        f"{here}/reopen": reason,
        f"{here}/verify": {"outcome": "solved"},
        f"{here}/return": reason,
        f"{here}/note": {"text": "mine"},
        f"{here}/dispatches": {"unit_id": secrets.unit_id},
        f"{job}/cancel": reason,
        f"{job}/accept": {},
        f"{job}/done": {"code": "solved"},
        f"/api/reports/{secrets.report_id}/contact": reason,
        "/api/reports": {
            "channel": "operator",
            "class_key": "S1.01",
            "text": "x",
            "join_incident_id": secrets.case["id"],
        },
    }
    before = ok(browse("operator.0").get(here))
    world.officer("walrus", 1)
    for login in ("operator.1", "shift_lead.1", "walrus"):
        stranger = browse(login)
        for address, body in verbs.items():
            answer = stranger.post(address, body)
            assert answer.status_code in (403, 404), (login, address, answer.status_code, answer.text)
            assert not any(marker in answer.text for marker in secrets.of_case | secrets.of_contact)
    assert ok(browse("operator.0").get(here)) == before


def test_another_countys_reference_tells_nothing(browse: Browse, world: World) -> None:
    lon, lat = world.point_in(0)
    message = {"source": "hotline", "source_ref": "A-1"}
    first = report(browse("operator.0"), lon, lat, "S1.01", TITLE, ADDRESS, **message)
    own_lon, own_lat = world.point_in(1)
    body = {
        "channel": "operator",
        "class_key": "S1.01",
        "text": "x",
        "lon": own_lon,
        "lat": own_lat,
        **message,
    }
    answer = browse("operator.1").post("/api/reports", body)
    assert answer.status_code == 409
    assert first["id"] not in answer.text
    assert first["number"] not in answer.text


def test_the_stream_keeps_to_its_county(
    app: APIFlask, browse: Browse, world: World, secrets: Secrets
) -> None:
    """What happens in county 0 while they listen reaches its desk and nobody of county 1."""
    heard: dict[str, list[bytes]] = {}
    threads = []
    for login in ("operator.0", "operator.1", "shift_lead.1", "administrator"):
        answer = browse(login).client.get("/api/live", buffered=False)
        kept = heard.setdefault(login, [])
        threads.append(Thread(target=lambda chunks, into: into.extend(chunks), args=(answer.response, kept)))
        threads[-1].start()
    lon, lat = world.point_in(0)
    made = report(browse("operator.0"), lon, lat, "S1.01", "again ZEBRAFISH", ADDRESS)
    deadline = time.monotonic() + 8
    while made["id"] not in told(heard["operator.0"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    app.extensions[EXTENSION].live.close()
    for thread in threads:
        thread.join(timeout=10)
    assert made["id"] in told(heard["operator.0"])
    assert not any(marker in told(heard["operator.0"]) for marker in secrets.of_hidden)
    foreign = {made["id"], made["number"]} | secrets.of_case | secrets.of_hidden | secrets.of_places
    for login in ("operator.1", "shift_lead.1", "administrator"):
        assert not any(marker in told(heard[login]) for marker in foreign), login


def told(chunks: list[bytes]) -> str:
    return b"".join(chunks).decode()
