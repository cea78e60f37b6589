"""Many incidents under one major event."""

from __future__ import annotations

import pytest

from gridmap.clock import FixedClock
from gridmap.errors import Conflict, Forbidden, NotFound
from gridmap.services import incidents, majors
from gridmap.services.case_queries import CaseFilter, get_case, list_cases
from gridmap.services.transaction import transaction
from tests.db.test_walk import report
from tests.world import World


def test_from_opening_to_closing(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    first, second, third = (report(world, operator, class_key="S1.07") for _ in range(3))
    with transaction(world.database, operator, clock) as tx:
        major = majors.open_major(tx, name="三号路内涝", incident_ids=[first, second])
        major_id = major.major.id
        assert (major.members, major.open_members, major.gravest) == (2, 2, 2)
    with transaction(world.database, operator, clock) as tx:
        assert majors.add(tx, major_id, [third, first]).members == 3
        rows = list_cases(tx, CaseFilter(statuses=("open",))).rows
        assert {row.major_name for row in rows} == {"三号路内涝"}
    with transaction(world.database, operator, clock) as tx:
        assert majors.remove(tx, major_id, third, reason="另一处").members == 2
        kinds = [event.kind for event in get_case(tx, third).events]
        assert kinds == ["reported", "major_joined", "major_left"]
    with (
        pytest.raises(Conflict, match="major_has_open_members"),
        transaction(world.database, operator, clock) as tx,
    ):
        majors.close(tx, major_id)
    with transaction(world.database, operator, clock) as tx:
        for incident_id in (first, second):
            incidents.void(tx, incident_id, reason="测试")
        assert majors.close(tx, major_id, note="水退").major.closed_at == clock.at
        assert majors.list_majors(tx) == []
    with pytest.raises(Conflict, match="major_closed"), transaction(world.database, operator, clock) as tx:
        majors.add(tx, major_id, [third])


def test_what_does_not_go_together(world: World, clock: FixedClock) -> None:
    operator, other = world.account("olivia", "operator", 0), world.account("otto", "operator", 1)
    analyst = world.account("anna", "analyst", 0)
    real, drill, far = report(world, operator), report(world, operator, drill=True), report(world, other, 1)
    with transaction(world.database, operator, clock) as tx:
        major_id = majors.open_major(tx, name="甲", incident_ids=[real]).major.id
    with pytest.raises(Conflict, match="drill_and_real"), transaction(world.database, operator, clock) as tx:
        majors.add(tx, major_id, [drill])
    with (
        pytest.raises(Conflict, match="in_another_major"),
        transaction(world.database, operator, clock) as tx,
    ):
        majors.open_major(tx, name="乙", incident_ids=[real])
    with pytest.raises(NotFound), transaction(world.database, operator, clock) as tx:
        majors.add(tx, major_id, [far])
    with pytest.raises(NotFound), transaction(world.database, other, clock) as tx:
        majors.get_major(tx, major_id)
    with pytest.raises(Forbidden), transaction(world.database, analyst, clock) as tx:
        majors.close(tx, major_id)


def test_severity_1_stands_above_everything_milder(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    for severity in (3, 2, 4, 2, 3):
        report(world, operator, severity=severity)
    grave = report(world, operator, severity=1)
    with transaction(world.database, operator, clock) as tx:
        page = list_cases(tx, CaseFilter(statuses=("open", "assigned", "awaiting_verification", "returned")))
    assert page.rows[0].incident.id == grave
