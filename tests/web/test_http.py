"""What every answer keeps to, and what no input gets past."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import re
from typing import Any

import openpyxl
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.settings import Settings
from tests.web.conftest import Browse, Browser
from tests.world import World
from web.app import create_app
from web.guards import guard_of, public
from web.outputs import answer_of
from web.schemas import MAX_LIST

REPORT = {"channel": "operator", "class_key": "S1.01", "text": "x"}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


# Answers


def test_nothing_is_loaded_from_another_host(anonymous: FlaskClient) -> None:
    for address in ("/", "/login", "/patrol", "/admin", "/risk", "/trust", "/api/docs"):
        answer = anonymous.get(address, buffered=True)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe-eval" not in policy
        assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", answer.text), address
        assert "<script>" not in answer.text, address
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unbuilt_page_says_what_to_do(
    anonymous: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("web.pages.BUILT", tmp_path)
    answer = anonymous.get("/", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert "make setup" in answer.text
    chinese = anonymous.get("/", headers={"Accept-Language": "zh-CN"})
    assert "页面尚未构建" in chinese.text


def test_built_files_with_a_digest_are_kept_and_pages_are_not(
    anonymous: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "worker-1a2b.mjs").write_text("export {}")
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "index.html").write_text("<!doctype html>")
    monkeypatch.setattr("web.pages.BUILT", tmp_path)
    script = anonymous.get("/static/dist/assets/worker-1a2b.mjs", buffered=True)
    assert script.mimetype == "text/javascript"
    assert "immutable" in script.headers["Cache-Control"]
    assert anonymous.get("/", buffered=True).headers["Cache-Control"] == "no-cache"
    assert anonymous.get("/static/dist/../../app.py", buffered=True).status_code == 404


def test_the_phone_may_keep_its_page(
    anonymous: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "patrol-worker.js").write_text("self.skipWaiting()")
    monkeypatch.setattr("web.pages.BUILT", tmp_path)
    worker = anonymous.get("/patrol/worker.js", buffered=True)
    assert worker.headers["Service-Worker-Allowed"] == "/patrol"
    assert worker.mimetype == "text/javascript"
    manifest = anonymous.get("/patrol/manifest.webmanifest")
    assert manifest.mimetype == "application/manifest+json"
    assert manifest.get_json()["start_url"] == "/patrol"


def test_the_description_covers_every_address(app: APIFlask, anonymous: FlaskClient) -> None:
    spec = anonymous.get("/api/openapi.json").get_json()
    assert spec["openapi"].startswith("3.1")
    described = set(spec["paths"])
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.rule not in ("/api/docs", "/api/openapi.json"):
            path = re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)
            assert path in described, path
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                operation = spec["paths"][path][method.lower()]
                guard = guard_of(app, rule.endpoint)
                assert guard is not None
                assert bool(operation["security"]) != guard.is_public, path
    told = [answer_of(view) for view in app.view_functions.values()]
    assert len([answer for answer in told if answer is not None]) > 35
    case = answer_of(app.view_functions["incidents.show_incident"])
    assert case is not None
    with pytest.raises(ValidationError):
        case.check({"id": "01890000-0000-7000-8000-000000000000", "number": "7", "surprise": 1})
    docs = anonymous.get("/api/docs").text
    assert all(f"<code>{path}</code>" in docs for path in described)


def test_refusals_are_problems(anonymous: FlaskClient, browse: Browse) -> None:
    desk = browse("operator.0")
    assert code(anonymous.get("/api/nowhere")) == (404, "not_found")
    assert code(desk.get("/api/incidents/not-an-id")) == (404, "not_found")
    wrong_method = desk.get("/api/logout")
    assert code(wrong_method) == (405, "method_not_allowed")
    assert "POST" in wrong_method.headers["Allow"]
    missing = desk.get("/api/incidents/01890000-0000-7000-8000-000000000000")
    assert missing.mimetype == "application/problem+json"
    assert missing.get_json() == {
        "type": "urn:gridmap:problem:incident_not_found",
        "title": "incident_not_found",
        "status": 404,
        "code": "incident_not_found",
        "params": {},
    }


def test_a_fault_of_ours_tells_nothing_of_itself(
    settings: Settings, database: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings, database, clock)

    @app.get("/api/broken")
    @public
    def broken() -> str:
        raise RuntimeError("the secret is 12345")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/api/broken")
    assert code(answer) == (500, "internal_error")
    assert "12345" not in answer.text
    assert answer.get_json()["params"]["request_id"] == answer.headers["X-Request-Id"]
    assert "12345" in caplog.text, "our own log has it"


def test_the_access_log_holds_no_position_and_no_search(
    browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    desk = browse("operator.0")
    with caplog.at_level(logging.INFO, "gridmap.access"):
        desk.get("/api/search?q=Willow&lon=113.01&lat=28.2")
    line = json.loads(caplog.records[-1].message)
    assert line["route"] == "/api/search"
    assert line["account"] == desk.me["account"]["id"]
    assert "113.01" not in caplog.text
    assert "Willow" not in caplog.text


def test_large_answers_are_compressed(browse: Browse) -> None:
    desk = browse("operator.0")
    answer = desk.get("/api/vocab", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.data))["classes"]
    assert "Content-Encoding" not in desk.get("/api/vocab").headers
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_tile_that_did_not_change_is_not_sent_again(browse: Browse) -> None:
    desk = browse("operator.0")
    (url,) = [item["url"] for item in desk.get("/api/layers").get_json()["items"] if item["key"] == "cameras"]
    address = url.format(z=14, x=13336, y=6880)
    first = desk.get(address)
    assert first.status_code == 200
    assert first.mimetype == "application/vnd.mapbox-vector-tile"
    assert first.headers["Cache-Control"].startswith("private")
    again = desk.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    other = browse("operator.1").get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200, "another scope is another tile"
    assert code(desk.get("/api/tiles/cameras/1/3/9/9.mvt")) == (422, "no_such_tile")
    assert code(desk.get("/api/tiles/nothing/1/3/1/1.mvt")) == (404, "layer_unknown")


def test_the_base_map_is_read_in_ranges(browse: Browse, settings: Settings) -> None:
    settings.basemap_dir.mkdir(parents=True, exist_ok=True)
    (settings.basemap_dir / "town.pmtiles").write_bytes(bytes(range(256)) * 10)
    desk = browse("operator.0")
    part = desk.get("/basemap/town.pmtiles", headers={"Range": "bytes=256-259"})
    assert (part.status_code, part.data) == (206, bytes(range(4)))
    assert part.headers["Content-Range"] == "bytes 256-259/2560"
    assert code(desk.get("/basemap/..%2Fsecret_key.pmtiles"))[0] == 404
    assert desk.get("/api/basemap/style.json?theme=light&lang=en").get_json()["version"] == 8


def test_an_exported_cell_is_never_a_formula(browse: Browse, world: World) -> None:
    desk = browse("operator.0")
    lon, lat = world.point_in(0)
    for words in ('=HYPERLINK("x")', "+1", "@SUM(A1)", "-2+3", "＝1", '"quoted", 事件 🔥'):
        made = desk.post("/api/reports", {**REPORT, "text": words, "lon": lon, "lat": lat})
        assert made.status_code == 201, made.text
    answer = desk.get("/api/export/incidents.csv?lang=en")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.headers["X-Row-Count"] == "6"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    titles = {row["Title"] for row in rows}
    assert '"quoted", 事件 🔥' in titles
    assert not [title for title in titles if title[0] in "=+-@＝"]
    book = openpyxl.load_workbook(io.BytesIO(desk.get("/api/export/incidents.xlsx").data))
    cells = [cell for row in book.active.iter_rows() for cell in row]  # type: ignore[union-attr]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert book.active["A1"].value == "编号"  # type: ignore[index]
    assert browse("administrator").get("/api/export/incidents.csv").status_code == 403
    trail = browse("administrator").get("/api/audit?verb=export.").get_json()["items"]
    assert trail[0]["params"] == {"rows": 6, "format": "xlsx"}


# Input


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"channel": "missing", "class_key": "missing"}),
        ({**REPORT, "colour": "red"}, {"colour": "extra_forbidden"}),
        ({**REPORT, "lon": "113.0", "lat": 28.2}, {"lon": "float_type"}),
        ({**REPORT, "severity": True}, {"severity": "int_type"}),
        ({**REPORT, "severity": 9}, {"severity": "less_than_equal"}),
        ({**REPORT, "text": "x" * 10_000}, {"text": "string_too_long"}),
        ({**REPORT, "text": "a\0b"}, {"text": "value_error"}),
        ({**REPORT, "occurred_from": "2026-06-01T10:00:00"}, {"occurred_from": "timezone_aware"}),
        ({**REPORT, "occurred_from": "yesterday"}, {"occurred_from": "datetime_parsing"}),
        ({**REPORT, "join_incident_id": "7"}, {"join_incident_id": "uuid_parsing"}),
        ({**REPORT, "contact": {"name": "x", "age": 3}}, {"contact.age": "extra_forbidden"}),
        ([REPORT], {"body": "model_type"}),
    ],
)
def test_a_wrong_field_is_named(browse: Browse, body: Any, fields: dict[str, str]) -> None:
    answer = browse("operator.0").post("/api/reports", body)
    assert code(answer) == (422, "invalid_fields")
    assert answer.get_json()["params"]["fields"] == fields


@pytest.mark.parametrize(
    "raw",
    [
        b'{"channel":"operator","class_key":"S1.01","text":"x","lon":NaN,"lat":1}',
        b'{"channel":"operator","class_key":"S1.01","text":"x","lon":1e999,"lat":1}',
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"[" * 100_000,
        b'{"channel":',
        b"\xff\xfe",
        b"",
    ],
)
def test_broken_json_is_refused(browse: Browse, raw: bytes) -> None:
    desk = browse("operator.0")
    answer = desk.client.post(
        "/api/reports", data=raw, headers={**desk.headers, "Content-Type": "application/json"}
    )
    assert code(answer) == (422, "invalid_fields")


def test_what_is_too_large_is_refused_before_it_is_read(browse: Browse) -> None:
    desk = browse("operator.0")
    assert code(desk.post("/api/reports", {**REPORT, "text": "x" * 1_100_000})) == (413, "too_large")
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    huge = desk.client.post("/api/blobs", data=b"x" * 13_000_000, headers={**desk.headers, **kind})
    assert code(huge) == (413, "too_large")


def test_what_is_no_photo_is_refused(browse: Browse) -> None:
    desk = browse("operator.0")
    fields = {"incident_id": "01890000-0000-7000-8000-000000000000"}
    not_one = {**fields, "file": (io.BytesIO(b"<svg onload=alert(1)>"), "a.jpg")}
    assert code(desk.client.post("/api/blobs", data=not_one, headers=desk.headers)) == (422, "not_a_photo")
    none = desk.client.post("/api/blobs", data=fields, headers=desk.headers)
    assert none.get_json()["params"]["fields"] == {"file": "missing"}


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3",
        "bbox=nan,1,2,3",
        "bbox=200,1,2,3",
        "severity=9",
        "limit=0",
        "limit=100000",
        "area=0",
        "area=99999999999999999999",
        "from=2026-01-01",
        "unknown=1",
        "status=open&status=closed",
        "status=" + ",".join(["x"] * (MAX_LIST + 1)),
        "class=S1'--",
        "q=" + "x" * 300,
    ],
)
def test_a_wrong_question_is_refused(browse: Browse, query: str) -> None:
    assert code(browse("operator.0").get(f"/api/incidents?{query}")) == (422, "invalid_fields")


def test_odd_but_honest_words_are_kept_as_they_are(browse: Browse, world: World) -> None:
    desk = browse("operator.0")
    lon, lat = world.point_in(0)
    words = 'O\'Neill "said" 100 % \\ _ <b>🔥</b> 中文'
    made = desk.post("/api/reports", {**REPORT, "text": words, "lon": lon, "lat": lat})
    assert made.get_json()["incident"]["title"] == words
    for part in ("O'Neill", "100 %", "\\ _", "<b>🔥"):
        found = desk.get("/api/incidents", query_string={"q": part}).get_json()
        assert found["total"] == 1, part
        assert desk.get("/api/search", query_string={"q": part}).status_code == 200
    assert desk.get("/api/incidents", query_string={"q": "%_%"}).get_json()["total"] == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def fuzzed(browse: Browse) -> Browser:
    return browse("shift_lead.0")


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=JSON,
    known=st.dictionaries(st.sampled_from(["lon", "lat", "text", "crs", "address", "severity"]), JSON),
)
def test_no_body_breaks_the_server(fuzzed: Browser, body: Any, known: dict[str, Any]) -> None:
    raw = json.dumps({**REPORT, **known} if known else body)
    answer = fuzzed.client.post(
        "/api/reports", data=raw, headers={**fuzzed.headers, "Content-Type": "application/json"}
    )
    assert answer.status_code in (200, 201, 409, 422), (raw, answer.status_code, answer.text)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=st.text(min_size=1, max_size=40), cursor=st.text(max_size=40))
def test_no_question_breaks_the_server(fuzzed: Browser, words: str, cursor: str) -> None:
    for address, query in (
        ("/api/search", {"q": words}),
        ("/api/incidents", {"q": words, "cursor": cursor}),
        ("/api/areas", {"parent": words}),
        ("/api/incidents", {"class": words, "from": cursor}),
        ("/api/tiles/cameras/1/1/1/1.mvt", {"status": words}),
    ):
        answer = fuzzed.get(address, query_string=query)
        assert answer.status_code in (200, 422), (address, query, answer.text)
