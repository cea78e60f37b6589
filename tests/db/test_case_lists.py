"""Lists of incidents go past row-level security: they must give what it would give, whole, in order, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from gridmap.clock import FixedClock
from gridmap.db.tables import Incident
from gridmap.domain.actor import Actor
from gridmap.errors import Invalid
from gridmap.services.case_queries import WORDS_SPAN, CaseFilter, iterate_cases, list_cases
from gridmap.services.queries.exporting import incident_sheet
from gridmap.services.transaction import Tx, transaction
from gridmap.settings import Settings
from tests.conftest import TEST_NOW, ClonedDatabase
from tests.db.scope_world import CLASSES, PATHS, SIZE_DEG, SOUTH, STATUSES, WEST, World, build_world

PATIENT = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["narrow", "wide"])
def world(request: pytest.FixtureRequest, settings: Settings) -> Iterator[World]:
    """Both ways to the rows: every scope of this small world counts as narrow, or none but the empty one."""
    with ClonedDatabase(settings, "gridmap") as database:
        if request.param == "wide":
            with database.owner.begin() as connection:
                connection.execute(
                    text(
                        "create or replace function incident_narrow_rows() returns int"
                        " language sql immutable parallel safe as 'select 0'"
                    )
                )
        yield build_world(database, FixedClock(TEST_NOW))


@st.composite
def _actors(draw: st.DrawFn, world: World) -> Actor:
    return Actor(
        account_id=draw(st.sampled_from([None, *world.accounts])),
        login="drawn",
        display_name="drawn",
        verbs=draw(st.frozensets(st.sampled_from(("case.read", "case.read_restricted")))),
        case_paths=draw(st.lists(st.sampled_from(PATHS), max_size=3).map(tuple)),
        map_paths=(),
        write_paths=(),
        unit_ids=draw(st.lists(st.sampled_from(world.units), max_size=2).map(tuple)),
    )


@st.composite
def _filters(draw: st.DrawFn) -> CaseFilter:
    edge = st.floats(0, SIZE_DEG)
    west, east = sorted((draw(edge), draw(edge)))
    south, north = sorted((draw(edge), draw(edge)))
    box = (WEST + west, SOUTH + south, WEST + east, SOUTH + north)
    days = st.none() | st.integers(0, 400).map(lambda ago: TEST_NOW - timedelta(days=ago))
    return CaseFilter(
        statuses=draw(st.sampled_from([(), ("open",), ("open", "assigned"), STATUSES])),
        class_keys=draw(st.sampled_from([(), (), ("S1",), CLASSES[:1], ("S1.01", "S2")])),
        severities=draw(st.sampled_from([(), (), (1, 2)])),
        area_path=draw(st.none() | st.sampled_from([path for path in PATHS if path])),
        reported_from=draw(days),
        reported_to=draw(days),
        bbox=draw(st.none() | st.just(box)),
        words=draw(st.sampled_from([None, None, "标题 1", "GM0000002", "%"])),
        unlocated=draw(st.sampled_from([False, False, True])),
        include_drills=draw(st.booleans()),
    )


def _wanted(row: Incident, wanted: CaseFilter) -> bool:
    """The filter in plain words, over a row that row-level security shows."""
    classes = wanted.class_keys
    return (
        (not wanted.statuses or row.status in wanted.statuses)
        and (
            not classes or any(row.class_key == key or row.class_key.startswith(f"{key}.") for key in classes)
        )
        and (not wanted.severities or row.severity in wanted.severities)
        and (wanted.area_path is None or f"{row.scope_path}.".startswith(f"{wanted.area_path}."))
        and (wanted.reported_from is None or row.reported_at >= wanted.reported_from)
        and (wanted.reported_to is None or row.reported_at < wanted.reported_to)
        and (wanted.words is None or wanted.words in row.number or wanted.words in row.title)
        and (not wanted.unlocated or row.location_method == "none")
        and (wanted.include_drills or not row.drill)
    )


def _lawful(tx: Tx, wanted: CaseFilter) -> list[Incident]:
    statement = select(Incident)
    if wanted.bbox is not None:
        statement = statement.where(
            text("geom && st_makeenvelope(:w, :s, :e, :n, 4326)").bindparams(
                **dict(zip("wsen", wanted.bbox, strict=True))
            )
        )
    rows = [row for row in tx.session.scalars(statement) if _wanted(row, wanted)]
    if wanted.statuses and "closed" not in wanted.statuses:
        return sorted(rows, key=lambda row: (row.severity, row.reported_at, row.id.bytes))
    return sorted(rows, key=lambda row: (row.reported_at, row.id.bytes), reverse=True)


def test_pages_give_what_row_level_security_shows_in_order(world: World) -> None:
    @PATIENT
    @given(st.data())
    def check(data: st.DataObject) -> None:
        actor, wanted = data.draw(_actors(world)), data.draw(_filters())
        with transaction(world.database, actor, world.clock) as tx:
            lawful = [row.id for row in _lawful(tx, wanted)]
            found: list[Any] = []
            cursor = None
            while True:
                page = list_cases(tx, wanted, limit=37, cursor=cursor)
                found += [row.incident.id for row in page.rows]
                assert page.total == len(lawful)
                cursor = page.next_cursor
                if cursor is None:
                    break
        assert found == lawful

    check()


def test_an_export_holds_the_same_without_the_restricted(world: World) -> None:
    actor = Actor(
        account_id=world.accounts[0],
        login="x",
        display_name="x",
        verbs=frozenset({"case.read", "case.read_restricted"}),
        case_paths=("1.2",),
        map_paths=(),
        write_paths=(),
    )
    with transaction(world.database, actor, world.clock) as tx:
        lawful = [row.id for row in _lawful(tx, CaseFilter()) if not row.restricted]
        assert [row.incident.id for row in iterate_cases(tx.session, CaseFilter())] == lawful
        assert len(lawful) > 50


def test_nobody_sees_nothing(world: World) -> None:
    with world.database.app.begin() as connection:
        found = connection.execute(
            text("select id from list_incidents('{\"drills\": true}', false, null, null, null, null)")
        )
        assert found.all() == []


def test_words_in_a_large_history_keep_to_a_span_and_say_so(settings: Settings) -> None:
    """A table as large as never analysed ones are not: the ceiling is put below it, and the scope counts as wide."""
    with ClonedDatabase(settings, "gridmap") as database:
        with database.owner.begin() as connection:
            for name, most in (("narrow", 0), ("words", -5)):
                connection.execute(
                    text(
                        f"create or replace function incident_{name}_rows() returns int"
                        f" language sql immutable parallel safe as 'select {most}'"
                    )
                )
        world = build_world(database, FixedClock(TEST_NOW))
        actor = Actor(
            account_id=world.accounts[0],
            login="x",
            display_name="x",
            verbs=frozenset({"case.read", "case.export"}),
            case_paths=("1",),
            map_paths=(),
            write_paths=(),
        )
        since = TEST_NOW - WORDS_SPAN
        with transaction(world.database, actor, world.clock) as tx:
            every = _lawful(tx, CaseFilter(words="标题"))
            recent = [row.id for row in every if row.reported_at >= since]
            assert 0 < len(recent) < len(every)
            page = list_cases(tx, CaseFilter(words="标题"), limit=500)
            assert (page.words_since, [row.incident.id for row in page.rows]) == (since, recent)
            old = CaseFilter(words="标题", reported_to=since)
            page = list_cases(tx, old, limit=500)
            assert page.words_since == since - WORDS_SPAN
            assert {row.incident.id for row in page.rows} == {
                row.id for row in every if since - WORDS_SPAN <= row.reported_at < since
            }
            assert list_cases(tx, CaseFilter(words="标题", reported_from=since)).words_since is None
            assert list_cases(tx, CaseFilter(words="标题", statuses=("open",))).words_since is None
            assert list_cases(tx, CaseFilter()).words_since is None
            with pytest.raises(Invalid, match="words_span_too_long"):
                incident_sheet(tx, CaseFilter(words="标题"), "zh")
