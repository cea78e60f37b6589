"""Sets of areas: the area law, faults by name and size, versions that are never overwritten, and who answers now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box, mapping

from gridmap.domain.coverage import coverage_faults, repair, union_of
from gridmap.errors import Conflict, Invalid
from gridmap.services.areas import locate
from gridmap.services.transaction import system_transaction
from tests.ingest.conftest import Importer

Write = Callable[..., Path]
Row = tuple[dict[str, Any], Any]


def collection(rows: Sequence[Row]) -> str:
    features = [
        {"type": "Feature", "properties": properties, "geometry": None if shape is None else mapping(shape)}
        for properties, shape in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def cells(count: int, size: float = 0.01, prefix: str = "330101001001") -> list[Row]:
    """`count` x `count` square grids with their 15-digit codes."""
    return [
        (
            {"code": f"{prefix}{row * count + column + 1:03}", "name": f"格{row * count + column + 1}"},
            box(114 + column * size, 34 + row * size, 114 + (column + 1) * size, 34 + (row + 1) * size),
        )
        for row in range(count)
        for column in range(count)
    ]


def district() -> list[Row]:
    whole = box(114, 34, 114.04, 34.04)
    return [
        ({"code": "330101001000", "name": "街道"}, whole),
        ({"code": "330101001001", "name": "社区"}, whole),
        *cells(4),
    ]


def test_a_perfect_coverage_is_verified_and_builds_its_tree(importer: Importer, write: Write) -> None:
    outcome = importer.areas(write("a.geojson", collection(district())))
    assert outcome.lists["status"] == "verified"
    assert outcome.lists["levels"] == {"township": 1, "community": 1, "grid": 16}
    rows = importer.query(
        "select a.code, a.level, a.scheme, v.is_leaf, nlevel(v.path) as depth, v.name"
        " from area a join area_version v on v.area_id = a.id order by a.code"
    )
    assert (rows[0].code, rows[0].level, rows[0].depth) == ("330101001", "township", 1)
    assert (rows[1].code, rows[1].depth, rows[1].is_leaf) == ("330101001001", 2, False)
    assert {(row.level, row.depth, row.is_leaf) for row in rows[2:]} == {("grid", 3, True)}
    assert importer.value(
        "select st_equals(v.geom, st_makeenvelope(114, 34, 114.04, 34.04, 4326))"
        " from area_version v join area a on a.id = v.area_id where a.level = 'township'"
    )


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda rows: rows[:7] + rows[8:], "gap"),
        (
            lambda rows: [*rows[:7], (rows[7][0], rows[7][1].buffer(1e-5, join_style="mitre")), *rows[8:]],
            "overlap",
        ),
        (
            lambda rows: [
                *rows[:7],
                (rows[7][0], Polygon([(114.01, 34.01), (114.02, 34.02), (114.02, 34.01), (114.01, 34.02)])),
                *rows[8:],
            ],
            "invalid",
        ),
    ],
)
def test_anything_less_is_kept_unverified_with_its_faults(
    importer: Importer, write: Write, spoil: Callable[[list[Row]], list[Row]], code: str
) -> None:
    outcome = importer.areas(write("a.geojson", collection(spoil(district()))))
    status, faults = importer.query("select status, faults from area_set")[0]
    assert (status, outcome.lists["status"]) == ("unverified", "unverified")
    found = [fault for fault in faults if fault["code"] == code]
    assert found
    if code != "invalid":
        assert found[0]["area_m2"] > 1
    if code == "overlap":
        assert "330101001001006" in found[0]["areas"]


def test_a_bad_row_is_quarantined_and_the_set_is_not_verified(importer: Importer, write: Write) -> None:
    rows = [*cells(2), ({"name": "no code"}, box(114.1, 34, 114.2, 34.1))]
    outcome = importer.areas(write("a.geojson", collection(rows)))
    assert outcome.quarantined == 1
    assert outcome.lists["status"] == "unverified"


def test_a_leaf_without_an_outline_is_refused(importer: Importer, write: Write) -> None:
    rows = [({"code": "330101001001001", "parent": "330101001001"}, None), *cells(2)[1:]]
    with pytest.raises(Invalid) as caught:
        importer.areas(write("a.geojson", collection(rows)))
    assert caught.value.code == "leaf_without_geometry"
    assert importer.value("select count(*) from area") == 0


def test_a_rerun_changes_nothing_and_a_changed_area_gets_a_new_version(
    importer: Importer, write: Write
) -> None:
    path = write("a.geojson", collection(cells(3)))
    importer.areas(path)
    before = importer.query("select id, valid, area_set_id from area_version order by id")
    importer.clock.at += timedelta(days=1)
    again = importer.areas(path)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 9)
    assert importer.query("select id, valid, area_set_id from area_version order by id") == before

    rows = cells(3)
    # Two neighbours exchange a strip; the third is gone, and its ground goes to the second.
    rows[0] = (rows[0][0], box(114, 34, 114.008, 34.01))
    rows[1] = (rows[1][0], box(114.008, 34, 114.03, 34.01))
    del rows[2]
    importer.clock.at += timedelta(days=1)
    outcome = importer.areas(write("b.geojson", collection(rows)))
    assert (outcome.changed, outcome.unchanged, outcome.withdrawn) == (2, 6, 1)
    assert (
        importer.value(
            "select count(*) from area_version where valid @> cast(:now as timestamptz)",
            now=importer.clock.at,
        )
        == 8
    )
    assert importer.value("select count(*) from area_version") == 11
    assert importer.value("select count(*) from area_version where isempty(valid)") == 0
    assert importer.value("select max(version) from area_set") == 2


def test_what_is_open_follows_the_areas_and_what_lay_nowhere_finds_its_grid(
    importer: Importer, write: Write
) -> None:
    lines = (
        "ref,class,channel,occurred,outcome,lon,lat\n"
        "1,S1.01,public,2026-05-01,,114.005,34.005\n2,S1.01,public,2026-05-01,solved,114.005,34.005\n"
    )
    importer.rows("incidents", write("i.csv", lines), crs="WGS84")
    importer.rows("cameras", write("c.csv", "ref,lon,lat\n1,114.005,34.005\n"), crs="WGS84")
    assert importer.value("select count(*) from incident where area_id is null") == 2
    importer.areas(write("a.geojson", collection(cells(2))))
    assert importer.value("select count(*) from incident where area_id is null") == 0
    first = importer.value("select scope_path::text from incident where ref = '1'")
    assert importer.query("select scope_path::text from camera") == [(first,)]

    whole = box(114, 34, 114.02, 34.02)
    importer.clock.at += timedelta(days=1)
    importer.areas(
        write("b.geojson", collection([({"code": "330101001001", "name": "社区"}, whole), *cells(2)]))
    )
    open_path, closed_path = (
        row[0] for row in importer.query("select scope_path::text from incident order by ref")
    )
    assert open_path.count(".") == 1
    assert closed_path == first
    assert importer.value("select count(distinct area_version_id) from incident") == 1


def test_codes_that_are_no_division_codes_are_made_unique_by_their_source(
    importer: Importer, write: Write
) -> None:
    rows = [({"DISTRICT": "510", "PRECINCT": "NO"}, box(114, 34, 114.1, 34.1))]
    mapping_ = {"DISTRICT": "code", "PRECINCT": "parent"}
    importer.areas(write("a.geojson", collection(rows)), level="grid", mapping=mapping_, source="here")
    importer.areas(
        write("b.geojson", collection(rows)), level="grid", mapping=mapping_, source="there", tree="police"
    )
    codes = importer.query("select code, level, tree from area order by code")
    assert codes == [
        ("here:510", "grid", "admin"),
        ("here:NO", "community", "admin"),
        ("there:510", "grid", "police"),
        ("there:NO", "community", "police"),
    ]
    leaves = importer.query("select tree, count(*) from area_leaf group by tree")
    assert leaves == [("police", 2)]


def test_a_division_code_belongs_to_one_source(importer: Importer, write: Write) -> None:
    path = write("a.geojson", collection(cells(1)))
    importer.areas(path, source="one")
    with pytest.raises(Conflict) as caught:
        importer.areas(path, source="two")
    assert caught.value.code == "area_code_taken"


def test_a_run_that_died_before_the_switch_is_cleared_away(
    importer: Importer, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.geojson", collection(cells(3)))

    def die(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gridmap.services.importing.areas._switch", die)
        with pytest.raises(KeyboardInterrupt):
            importer.areas(path)
    assert importer.value("select count(*) from area_version where isempty(valid)") == 9
    assert importer.value("select count(*) from outbox") == 0
    importer.areas(path)
    assert importer.value("select count(*) from area_version") == 9
    assert importer.value("select count(*) from area_version where isempty(valid)") == 0
    assert importer.value("select count(*) from area_set") == 1


cuts = st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True)


@settings(max_examples=40, deadline=None)
@given(xs=cuts, ys=cuts)
def test_any_cut_of_a_box_is_a_coverage_and_any_missing_cell_is_a_gap(xs: list[int], ys: list[int]) -> None:
    across, up = [0, *sorted(xs), 1000], [0, *sorted(ys), 1000]
    leaves = {
        f"{i}-{j}": repair(box(114 + a / 1e4, 34 + c / 1e4, 114 + b / 1e4, 34 + d / 1e4))
        for i, (a, b) in enumerate(pairwise(across))
        for j, (c, d) in enumerate(pairwise(up))
    }
    whole = {code: shape for code, shape in leaves.items() if shape is not None}
    outline = union_of(list(whole.values()))
    assert coverage_faults(whole, outline) == []
    whole.popitem()
    assert [fault.code for fault in coverage_faults(whole, outline)] == ["gap"]


steps = st.integers(-2, 10)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.lists(st.tuples(steps, steps), min_size=1, max_size=12))
def test_an_import_and_a_report_put_a_point_into_the_same_grid(
    importer: Importer, tmp_path: Path, points: list[tuple[int, int]]
) -> None:
    """Half a grid apart, so that middles, borders, corners and places outside all come up; one grid overlaps."""
    if importer.value("select count(*) from area") == 0:
        rows = cells(4)
        rows[5] = (rows[5][0], rows[5][1].buffer(0.002, join_style="mitre"))
        path = tmp_path / "areas.geojson"
        path.write_text(collection(rows), encoding="utf-8")
        importer.areas(path)
    path = tmp_path / "points.csv"
    body = "".join(
        f"{n},{114 + x * 0.005:.3f},{34 + y * 0.005:.3f},S1.01,public,2026-05-01\n"
        for n, (x, y) in enumerate(points)
    )
    path.write_text("ref,lon,lat,class,channel,occurred\n" + body, encoding="utf-8")
    importer.execute("delete from incident_event")
    importer.execute("delete from report")
    importer.execute("delete from incident")
    outcome = importer.rows("incidents", path, crs="WGS84")
    with system_transaction(importer.database, importer.clock) as tx:
        expected = {
            str(n): locate(
                tx.session, round(114 + x * 0.005, 3), round(34 + y * 0.005, 3), importer.clock.now()
            )
            for n, (x, y) in enumerate(points)
        }
    found = {
        row.ref: (row.area_id, row.path)
        for row in importer.query("select ref, area_id, scope_path::text as path from incident")
    }
    assert found == {ref: (place.area_id, place.path) for ref, place in expected.items()}
    assert outcome.outside_areas == sum(place.area_id is None for place in expected.values())
