"""Real districts and real incidents: the import against a plain GeoPandas join after the same repair and tie rule."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from gridmap.clock import FixedClock
from gridmap.db.tables import Incident
from gridmap.domain.coverage import repair
from gridmap.domain.crs import snap_1e9
from gridmap.services.dispatching.offers import Offer, accept, offer
from gridmap.services.dispatching.steps import arrive, report_done
from gridmap.services.incidents import verify_and_close
from gridmap.services.recommending import list_candidates
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import transaction
from gridmap.services.vault import Vault
from ingest.source import list_sources
from tests.ingest.conftest import Importer
from tests.world import World


@pytest.fixture
def portland(importer: Importer, shared_data: Path) -> Importer:
    source = list_sources()["portland_police"]
    path = shared_data / "portland_police_districts.geojson"
    importer.areas(path, source=source.key, level=source.level, mapping=source.mapping)
    return importer


def _districts(shared_data: Path) -> gpd.GeoDataFrame:
    frame = gpd.read_file(shared_data / "portland_police_districts.geojson").sort_values("DISTRICT")
    frame["geometry"] = [repair(snap_1e9(shape)) for shape in frame.geometry]
    return frame


def test_districts_are_kept_unverified_with_their_faults(portland: Importer) -> None:
    status, faults = portland.query("select status, faults from area_set")[0]
    assert status == "unverified"
    assert {"invalid", "overlap", "gap"} <= {fault["code"] for fault in faults}
    assert all(len(fault["areas"]) == 2 for fault in faults if fault["code"] == "overlap")
    assert portland.value("select count(*) from area_version where is_leaf") == 60
    assert portland.value("select bool_and(st_isvalid(geom)) from area_version")


def test_counts_per_district_equal_geopandas(portland: Importer, shared_data: Path) -> None:
    source = list_sources()["portland_nij"]
    outcome = portland.rows(
        "incidents",
        shared_data / "portland_nij_2012_2017.csv.gz",
        source=source.key,
        crs=source.crs,
        zone=source.zone,
        mapping=source.mapping,
        value_maps=source.value_maps,
        defaults=source.defaults,
    )
    assert (outcome.read, outcome.added, outcome.quarantined) == (15_206, 15_206, 0)

    points = pd.read_csv(shared_data / "portland_nij_2012_2017.csv.gz")
    located = gpd.GeoDataFrame(points, geometry=gpd.points_from_xy(points.lon, points.lat), crs=4326)
    hits = gpd.sjoin(located, _districts(shared_data)[["DISTRICT", "geometry"]], predicate="covered_by")
    per_point = hits.groupby(level=0)["DISTRICT"]
    expected = per_point.min().value_counts().to_dict()
    ours = dict(
        portland.query(
            "select a.ref, count(*) from incident i join area a on a.id = i.area_id group by a.ref"
        )
    )
    assert ours == expected
    assert outcome.outside_areas == 15_206 - per_point.ngroups
    assert outcome.in_several_areas == int((per_point.size() > 1).sum())
    listed = pd.read_csv(outcome.lists["outside_or_several_file"])
    assert len(listed) == outcome.outside_areas + outcome.in_several_areas
    # One real address has 88 thefts: rows that say the same are as many incidents as there are rows.
    assert portland.value("select count(*) from incident") == 15_206
    assert portland.value("select distinct occurred_precision from incident") == "day"
    assert (
        portland.value("select min(occurred_from at time zone 'America/Los_Angeles') from incident").hour == 0
    )


def test_cases_without_coordinates_wait_to_be_located(importer: Importer, shared_data: Path) -> None:
    path = shared_data / "pingshan_2018_area.csv.gz"
    groups = sorted(set(pd.read_csv(path)["type"].dropna()))
    outcome = importer.rows(
        "incidents",
        path,
        source="pingshan",
        zone="Asia/Shanghai",
        mapping={"t": "occurred", "type": "class", "sub_type": "text", "source": "-"},
        value_maps={"class": dict.fromkeys(groups, "C1.01")},
        defaults={"channel": "call_12345", "outcome": "handed_over", "class": "X.01"},
    )
    assert outcome.added == outcome.read == 10_000
    assert outcome.to_locate == 10_000
    assert (
        importer.value("select count(*) from incident where geom is null and location_method = 'none'")
        == 10_000
    )


def test_a_whole_walk_on_the_real_districts(portland: Importer, shared_data: Path, clock: FixedClock) -> None:
    """A unit in a real district: report, dispatch, arrive, verify and close one incident there."""
    source = list_sources()["portland_nij"]
    first_row = pd.read_csv(shared_data / "portland_nij_2012_2017.csv.gz").iloc[0]
    world = World(portland.database, clock)
    code, path = portland.query(
        "select a.id, v.path::text from area_version v join area a on a.id = v.area_id"
        " where st_covers(v.geom, st_setsrid(st_makepoint(:lon, :lat), 4326)) order by a.code limit 1",
        lon=float(first_row.lon),
        lat=float(first_row.lat),
    )[0]
    world.county_ids, world.county_paths, world.grid_ids = [code], [path], [[code]]
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0, mode="car", at=(first_row.lon + 0.01, first_row.lat))
    class_key = source.value_maps["class"][first_row.type]
    with transaction(portland.database, operator, clock) as tx:
        taken = take_report(
            tx,
            TakeReport(
                channel="call_110",
                class_key=class_key,
                text="window broken",
                lon=float(first_row.lon),
                lat=float(first_row.lat),
            ),
            Vault(b"k" * 48),
        )
        assert tx.session.get_one(Incident, taken.incident_id).scope_path == path
    portland.execute("update unit set capabilities = '{police_powers}', crew_size = 2")
    with transaction(portland.database, operator, clock) as tx:
        candidates = list_candidates(tx, taken.incident_id)
        assert [unit.unit_id for unit in candidates.units] == [unit_id]
        dispatch_id = offer(tx, Offer(incident_id=taken.incident_id, unit_id=unit_id, expires_s=60)).id
    with transaction(portland.database, officer, clock) as tx:
        accept(tx, dispatch_id)
        arrive(tx, dispatch_id)
        report_done(tx, dispatch_id, code="solved", note="", photo_ids=[])
    with transaction(portland.database, operator, clock) as tx:
        assert verify_and_close(tx, taken.incident_id, outcome="solved").status == "closed"
