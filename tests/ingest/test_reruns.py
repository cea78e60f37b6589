"""Running an import again: only what the source changed, nothing that was done here, nothing doubled."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict
from gridmap.services.importing.batches import batch_run
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import SYSTEM_ACTOR, system_transaction
from gridmap.services.vault import Vault
from ingest.fields import storable
from ingest.nouns.registry import NOUNS
from tests.ingest.conftest import Importer

Write = Callable[..., Path]
HEAD = "ref,class,channel,text,address,occurred,lon,lat\n"
INCIDENT = {"crs": "WGS84", "zone": "Asia/Shanghai"}


def incidents(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


def test_a_second_run_changes_nothing_and_tells_the_screens_once(importer: Importer, write: Write) -> None:
    path = write(
        "a.csv",
        incidents("1,S1.01,public,贼,街,2026-05-01 10:12,114,34", "2,S1.02,public,车,,2026-05-02 11:13,,"),
    )
    first = importer.rows("incidents", path, **INCIDENT)
    assert (first.added, first.to_locate) == (2, 1)
    before = importer.query("select * from incident order by ref")
    second = importer.rows("incidents", path, **INCIDENT)
    assert (second.added, second.changed, second.unchanged, second.withdrawn) == (0, 0, 2, 0)
    assert importer.query("select * from incident order by ref") == before
    topics = importer.query("select topic, body->>'layer' from outbox order by id")
    assert topics == [("layer_changed", "incidents")] * 2
    assert importer.value("select count(*) from import_batch where visible_at is null") == 0


def test_work_done_here_outlives_a_rerun(importer: Importer, write: Write) -> None:
    row = "1,S1.01,public,旧,街,2026-05-01 10:12,114,34"
    other = "2,S1.01,public,旧,街,2026-05-01 10:12,114,34"
    importer.rows("incidents", write("a.csv", incidents(row, other)), **INCIDENT)
    importer.execute(
        "update incident set class_key = 'S1.02', status = 'closed', outcome = 'solved', location_method = 'pin',"
        " geom = st_setsrid(st_makepoint(114.5, 34.5), 4326), title = 'seen here' where ref = '1'"
    )
    again = write(
        "b.csv",
        incidents(
            "1,S1.05,public,新,巷,2026-05-03 10:12,114.2,34.2",
            "2,S1.05,public,新,巷,2026-05-03 10:12,114.2,34.2",
        ),
    )
    outcome = importer.rows("incidents", again, **INCIDENT)
    assert outcome.changed == 2
    mine, theirs = importer.query(
        "select class_key, status, outcome, st_x(geom) as lon, title, address, severity from incident order by ref"
    )
    assert (mine.class_key, mine.status, mine.outcome, mine.lon, mine.title) == (
        "S1.02", "closed", "solved", 114.5, "seen here",
    )  # fmt: skip
    assert mine.address == "巷"
    assert (theirs.class_key, theirs.lon, theirs.title) == ("S1.05", 114.2, "新")
    assert theirs.severity == vocabulary().classes["S1.05"].severity
    bodies = importer.query("select body, class_key from report order by ref")
    assert bodies == [("新", "S1.05")] * 2
    assert importer.value("select count(*) from incident_event where kind = 'source_changed'") == 2


def test_a_field_that_the_file_does_not_give_is_left_alone(importer: Importer, write: Write) -> None:
    importer.rows("cameras", write("a.csv", "ref,name,heading_deg,lon,lat\n1,东门,90,114,34\n"), crs="WGS84")
    importer.execute("update camera set status = 'fault'")
    outcome = importer.rows("cameras", write("b.csv", "ref,name,lon,lat\n1,西门,114,34\n"), crs="WGS84")
    assert outcome.changed == 1
    assert importer.query("select name, heading_deg, status from camera") == [("西门", 90.0, "fault")]


def test_rows_gone_at_the_source_are_marked_and_come_back(importer: Importer, write: Write) -> None:
    both = write("a.csv", "ref,lon,lat\n1,114,34\n2,114,34.1\n")
    one = write("b.csv", "ref,lon,lat\n1,114,34\n")
    bad = write("c.csv", "ref,lon,lat\n1,114,34\n2,114,99\n")
    importer.rows("cameras", both, crs="WGS84")
    assert importer.rows("cameras", one, crs="WGS84", partial=True).withdrawn == 0
    assert importer.rows("cameras", bad, crs="WGS84").withdrawn == 0
    assert importer.rows("cameras", one, crs="WGS84").withdrawn == 1
    assert importer.query("select ref from camera where withdrawn_at is not null") == [("2",)]
    assert importer.rows("cameras", both, crs="WGS84").restored == 1
    assert importer.value("select count(*) from camera where withdrawn_at is not null") == 0


def test_a_file_that_lost_most_rows_is_asked_about(importer: Importer, write: Write) -> None:
    importer.rows(
        "cameras", write("a.csv", "ref,lon,lat\n" + "".join(f"{i},114,34\n" for i in range(40))), crs="WGS84"
    )
    few = write("b.csv", "ref,lon,lat\n1,114,34\n")
    with pytest.raises(Conflict) as caught:
        importer.rows("cameras", few, crs="WGS84")
    assert caught.value.code == "withdraws_too_many"
    assert importer.value("select count(*) from camera where withdrawn_at is not null") == 0
    assert importer.rows("cameras", few, crs="WGS84", withdraw_most=True).withdrawn == 39


def test_two_sources_keep_their_rows_apart(importer: Importer, write: Write) -> None:
    path = write("a.csv", "ref,code,lon,lat\n1,34020000001320000001,114,34\n")
    importer.rows("cameras", path, crs="WGS84", source="one")
    with pytest.raises(Exception, match="code_taken"):
        importer.rows("cameras", path, crs="WGS84", source="two")
    other = write("b.csv", "ref,lon,lat\n1,114,34\n")
    assert importer.rows("cameras", other, crs="WGS84", source="two").added == 1
    assert importer.value("select count(*) from camera") == 2


def test_only_one_import_of_a_source_at_a_time(importer: Importer, write: Write) -> None:
    path = write("a.csv", "ref,lon,lat\n1,114,34\n")
    with batch_run(importer.database, NOUNS["cameras"].target, "test", importer.clock.now()):
        with pytest.raises(Conflict) as caught:
            importer.rows("cameras", path, crs="WGS84")
        assert caught.value.code == "import_running"
    assert importer.rows("cameras", path, crs="WGS84").added == 1


def test_a_dry_run_writes_nothing(importer: Importer, write: Write) -> None:
    outcome = importer.rows("cameras", write("a.csv", "ref,lon,lat\n1,114,34\n"), crs="WGS84", dry_run=True)
    assert outcome.added == 1
    assert importer.value("select count(*) from camera") == 0
    assert importer.value("select count(*) from import_batch") == 0


RUNNER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gridmap.clock import FixedClock
from gridmap.db.cluster import Urls
from gridmap.db.engine import Database
from gridmap.services.importing import batches
from gridmap.settings import load_settings
from ingest.request import ImportRequest, silent
from ingest.run import run_import
url, data_dir, path = sys.argv[1:4]
batches._LARGEST_BLOCK = 50
run_import(
    ImportRequest(noun="incidents", path=Path(path), source="test", crs="WGS84", zone="Asia/Shanghai"),
    Database(Urls(app=url, system=url, owner=url)), load_settings(data_dir=Path(data_dir)),
    FixedClock(datetime(2026, 6, 1, 4, tzinfo=UTC)), lambda address: None, silent,
)
"""


def test_killed_in_the_middle_nothing_shows_and_the_next_run_completes(
    importer: Importer, write: Write, tmp_path: Path
) -> None:
    rows = [f"{i},S1.01,public,text {i},街 {i},2026-05-01 10:12,114.{i:05},34" for i in range(8_000)]
    path = write("a.csv", incidents(*rows))
    url = importer.database.urls.system
    child = subprocess.Popen(
        [sys.executable, "-c", RUNNER, url, str(tmp_path), str(path)], cwd=Path(__file__).parents[2]
    )
    deadline = time.monotonic() + 300
    while importer.value("select count(*) from incident") < 500 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    half = importer.value("select count(*) from incident")
    assert 500 <= half < 8_000
    shown = "select count(*) from incident where batch_id <> all (hidden_batches())"
    assert importer.value(shown) == 0
    assert importer.value("select count(*) from outbox") == 0
    # The file was mended meanwhile: a row that nobody ever saw goes without a trace.
    mended = write("b.csv", incidents(*rows[1:]))
    outcome = importer.rows("incidents", mended, **INCIDENT)
    assert outcome.added == 8_000 - half
    assert importer.value(shown) == 7_999
    assert importer.value("select count(*) from incident") == 7_999
    assert importer.value("select count(*) from report") == 7_999
    assert importer.value("select count(distinct number) from incident") == 7_999
    assert importer.value("select count(*) from incident where withdrawn_at is not null") == 0
    assert importer.value("select count(*) from import_batch") == 1


line = st.tuples(
    st.integers(1, 6), st.sampled_from(["甲", "乙", "丙"]), st.sampled_from(["114,34", "114.1,34.1"])
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(
        st.lists(line, min_size=1, max_size=6, unique_by=lambda row: row[0]), min_size=1, max_size=4
    )
)
def test_after_any_runs_the_table_is_what_the_last_file_says(
    importer: Importer, tmp_path: Path, runs: list[list[tuple[int, str, str]]]
) -> None:
    importer.execute("delete from camera where source = 'p'")
    path = tmp_path / "p.csv"
    for rows in runs:
        body = "".join(f"{ref},{name},{place}\n" for ref, name, place in rows)
        path.write_text("ref,name,lon,lat\n" + body, encoding="utf-8")
        importer.rows("cameras", path, crs="WGS84", source="p")
    live = importer.query("select ref, name from camera where source = 'p' and withdrawn_at is null")
    assert {(row.ref, row.name) for row in live} == {(str(ref), name) for ref, name, _ in runs[-1]}
    ever = {str(ref) for rows in runs for ref, _, _ in rows}
    assert {row.ref for row in importer.query("select ref from camera where source = 'p'")} == ever


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60), min_size=1, max_size=20
    )
)
def test_any_text_arrives_as_it_was(importer: Importer, tmp_path: Path, names: list[str]) -> None:
    importer.execute("delete from camera where source = 'text'")
    path = tmp_path / "text.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ref", "name", "lon", "lat", "extra"])
        writer.writerows([number, name, 114, 34, name] for number, name in enumerate(names))
    outcome = importer.rows("cameras", path, crs="WGS84", source="text", keep=("extra",), withdraw_most=True)
    assert (outcome.added, outcome.quarantined) == (len(names), 0)
    rows = importer.query("select ref, name, props->>'extra' as extra from camera where source = 'text'")
    assert {row.ref: row.name for row in rows} == {
        str(n): storable(name.strip()) for n, name in enumerate(names)
    }
    again = importer.rows("cameras", path, crs="WGS84", source="text", keep=("extra",))
    assert (again.unchanged, again.changed) == (len(names), 0)


def test_a_report_that_the_source_sent_itself_is_not_taken_twice(importer: Importer, write: Write) -> None:
    with system_transaction(
        importer.database, importer.clock, replace(SYSTEM_ACTOR, verbs=frozenset({"case.report"}))
    ) as tx:
        command = TakeReport(
            channel="call_12345",
            class_key="S2.02",
            text="贼",
            source="hotline",
            source_ref="1",
            lon=114,
            lat=34,
        )
        taken = take_report(tx, command, Vault(b"k" * 48))
    rows = write(
        "a.csv",
        incidents(
            "1,S2.02,call_12345,贼,,2026-05-01 10:12,114,34", "2,S2.02,call_12345,车,,2026-05-01 11:12,114,34"
        ),
    )
    for added in (1, 0):
        outcome = importer.rows("incidents", rows, source="hotline", **INCIDENT)
        assert (outcome.added, outcome.changed, outcome.unchanged) == (added, 0, 2 - added)
    without = write("b.csv", incidents("2,S2.02,call_12345,车,,2026-05-01 11:12,114,34"))
    assert importer.rows("incidents", without, source="hotline", **INCIDENT).withdrawn == 0
    assert importer.value("select count(*) from report") == 2
    assert importer.value("select version from incident where id = :id", id=taken.incident_id) == 1
