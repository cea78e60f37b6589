"""Isochrones, recommendations and joint answers over HTTP, here without an engine: the answers say so."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gridmap.optimise.assignment import SEVERITY_WEIGHT
from tests.web.conftest import Browse, Browser
from tests.world import World


def report(desk: Browser, world: World, class_key: str, grid: int) -> str:
    lon, lat = world.point_in(0, grid)
    body = {"channel": "operator", "class_key": class_key, "text": "x", "lon": lon, "lat": lat}
    answer = desk.post("/api/reports", body)
    assert answer.status_code == 201, answer.text
    found: str = answer.get_json()["incident"]["id"]
    return found


def got(desk: Browser, address: str) -> Any:
    answer = desk.get(address)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_rings_say_that_they_are_circles(browse: Browse, world: World) -> None:
    lon, lat = world.point_in(0)
    desk = browse("operator.0")
    rings = got(desk, f"/api/routing/isochrone?lon={lon}&lat={lat}&mode=foot&minutes=1,5")["items"]
    assert [(ring["minutes"], ring["method"]) for ring in rings] == [
        (1, "straight_line"),
        (5, "straight_line"),
    ]
    assert rings[0]["why"] == "routing_unavailable"
    for wrong in ("mode=boat", "mode=foot&minutes=0", "mode=foot&minutes=1,2,3,4,5", "mode=foot&minutes=x"):
        assert desk.get(f"/api/routing/isochrone?lon={lon}&lat={lat}&{wrong}").status_code == 422


def test_a_recommendation_names_what_is_short(browse: Browse, world: World) -> None:
    desk = browse("operator.0")
    world.officer("wang", 0)
    found = got(desk, f"/api/incidents/{report(desk, world, 'S1.01', 0)}/recommendation")
    assert found["items"] == []
    assert found["excluded"] == [{"code": "lacks_capability", "count": 1}]
    assert found["shortfalls"] == [{"code": "nobody_has", "params": {"key": "firefighting"}, "missing": 1}]


def test_a_barred_unit_is_refused_over_http_and_let_through_by_the_lead(browse: Browse, world: World) -> None:
    desk, lead = browse("operator.0"), browse("shift_lead.0")
    _, unit_id = world.officer("wang", 0)
    here = f"/api/incidents/{report(desk, world, 'S1.01', 0)}/dispatches"
    refused = desk.post(here, {"unit_id": str(unit_id)})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "unit_barred")
    assert refused.get_json()["params"]["gates"] == ["lacks_capability", "lone"]
    reason = {"unit_id": str(unit_id), "override_reason": "先去疏散"}
    assert desk.post(here, reason).status_code == 403
    assert lead.post(here, reason).status_code == 201


def test_two_incidents_get_one_answer(browse: Browse, world: World) -> None:
    desk = browse("operator.0")
    world.officer("wang", 0, grid=0)
    world.officer("li", 0, grid=3)
    first, second = report(desk, world, "S5.02", 0), report(desk, world, "S5.02", 3)
    found = got(desk, f"/api/recommendations?incidents={first},{second}")
    assert [one["unit"]["call_sign"] for one in found["items"]] == ["WANG", "LI"]
    assert found["method"] == "straight_line"
    assert found["gain_weighted_s"] >= 0
    assert desk.get("/api/recommendations?incidents=x").status_code == 422
    stranger = browse("operator.1").get(f"/api/recommendations?incidents={first}")
    assert stranger.status_code == 404


def test_the_gain_that_an_operator_reads_is_that_of_every_possible_answer(
    browse: Browse, world: World
) -> None:
    """Three cases and three units where the nearest of the first is the only near one of the second."""
    desk = browse("operator.0")
    lon, lat = world.point_in(0)
    for name, shift in (("wang", 0.0), ("li", 0.004), ("zhao", -0.007)):
        world.officer(name, 0, at=(lon + shift, lat))
    cases = []
    for severity, shift in ((2, 0.0018), (2, -0.0002), (3, 0.0045)):
        body = {"channel": "operator", "class_key": "S5.02", "text": "x", "severity": severity}
        answer = desk.post("/api/reports", body | {"lon": lon + shift, "lat": lat})
        cases.append(answer.get_json()["incident"])
    times = []
    for case in cases:
        picks = got(desk, f"/api/incidents/{case['id']}/recommendation?limit=3")["items"]
        times.append({pick["call_sign"]: pick["seconds"] for pick in picks})
    assert all(len(row) == 3 for row in times)
    weights = [SEVERITY_WEIGHT[case["severity"]] for case in cases]
    answers = list(itertools.permutations(times[0]))

    def waited(answer: tuple[str, ...], weighted: bool = False) -> float:
        return float(
            sum(
                row[who] * (weight if weighted else 1)
                for row, who, weight in zip(times, answer, weights, strict=True)
            )
        )

    best = min(answers, key=lambda answer: waited(answer, weighted=True))
    free, one_by_one = set(times[0]), []
    for row in times:  # the most severe first, of equals as they were asked
        one_by_one.append(min(free, key=lambda who: row[who]))
        free.remove(one_by_one[-1])
    found = got(desk, f"/api/recommendations?incidents={','.join(case['id'] for case in cases)}")
    assert tuple(one["unit"]["call_sign"] for one in found["items"]) == best
    assert best != tuple(one_by_one), "or there would be nothing to gain"
    assert found["seconds"] == pytest.approx(waited(best), abs=0.2)
    assert found["one_by_one_seconds"] == pytest.approx(waited(tuple(one_by_one)), abs=0.2)
    gain = (waited(tuple(one_by_one)) - waited(best)) / 3
    assert gain > 1
    assert found["gain_s"] == pytest.approx(gain, abs=0.2)
    weighted = waited(tuple(one_by_one), weighted=True) - waited(best, weighted=True)
    assert found["gain_weighted_s"] == pytest.approx(weighted, abs=0.5)
