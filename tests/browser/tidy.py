"""Leaves the shared site as a test found it: no case, job, alarm or duty of one story reaches into the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.browser.site import DemoSite

REASON = "试验结束"
# How a job of this status is ended from the desk.
ENDING = {"offered": "cancel", "accepted": "recall", "en_route": "recall", "on_scene": "release"}
TRIES = 20


@dataclass(frozen=True)
class Left:
    """What stands on the site at one moment, by id; units are those on duty."""

    cases: frozenset[str]
    alarms: frozenset[str]
    units: frozenset[str]


class Caretaker:
    """A shift lead's session without a page."""

    def __init__(self, site: DemoSite) -> None:
        self._site = site
        self._client, self._csrf = _log_in(site, site.staff("shift_lead"))

    def look(self) -> Left:
        """The cases that are open, the alarms that stand, the units on duty."""
        cases, units = self._items("/api/incidents?limit=200"), self._items("/api/units")
        alarms = self._items("/api/alarms")
        return Left(*(frozenset(row["id"] for row in rows) for rows in (cases, alarms, units)))

    def restore(self, before: Left) -> None:
        """End what was begun since `before`."""
        for case in self.look().cases - before.cases:
            self._void(case)
        for unit in self.look().units - before.units:
            self._send_home(unit)
        for alarm in self.look().alarms - before.alarms:
            self._post(f"/api/alarms/{alarm}/acknowledge", {})

    def close(self) -> None:
        self._client.close()

    def _void(self, case: str) -> None:
        for _ in range(TRIES):
            told = self._client.get(f"/api/incidents/{case}").json()
            if told["status"] == "closed":
                return
            for callout in told["callouts"]:
                if callout["status"] == "open":
                    self._post(f"/api/callouts/{callout['id']}/stop", {"reason": REASON})
            for job in told["dispatches"]:
                self._end_job(job["id"], job["status"])
            if self._post(f"/api/incidents/{case}/void", {"reason": REASON}).is_success:
                return
            time.sleep(0.3)
        raise AssertionError(
            f"a case could not be ended: {told['number']} {told['status']} {told['dispatches']}"
        )

    def _end_job(self, job: str, status: str) -> None:
        if verb := ENDING.get(status):
            self._post(f"/api/dispatches/{job}/{verb}", {"reason": REASON})

    def _send_home(self, unit: str) -> None:
        """Off duty, as the officer's own phone says it; a job in hand is ended first."""
        login = next(row["login"] for row in self._site.log_ins["officers"] if row["unit_id"] == unit)
        phone, csrf = _log_in(self._site, (login, self._site.log_ins["officer_password"]))
        with closing(phone):
            for _ in range(TRIES):
                state = phone.get("/api/patrol/state").json()
                for offer in state["offers"]:
                    self._end_job(offer["dispatch_id"], "offered")
                for job in state["jobs"]:
                    self._end_job(job["id"], job["status"])
                if state["unit"]["status"] == "off_duty":
                    return
                phone.post("/api/patrol/duty", json={"action": "stop"}, headers={"X-CSRF-Token": csrf})
                time.sleep(0.1)
        raise AssertionError(f"a unit stays on duty: {login} {state['unit']}")

    def _items(self, path: str) -> list[dict[str, Any]]:
        answer = self._client.get(path)
        assert answer.is_success, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._client.post(path, json=body, headers={"X-CSRF-Token": self._csrf})


@contextmanager
def caretaker(site: DemoSite) -> Iterator[Caretaker]:
    found = Caretaker(site)
    try:
        yield found
    finally:
        found.close()


def _log_in(site: DemoSite, login: tuple[str, str]) -> tuple[httpx.Client, str]:
    client = httpx.Client(base_url=site.url, verify=False, timeout=60)  # the site's own authority
    answer = client.post("/api/login", json={"login": login[0], "password": login[1]})
    assert answer.is_success, answer.text
    csrf: str = client.get("/api/me").json()["csrf"]
    return client, csrf
