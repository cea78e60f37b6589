"""Crews that answer offers: accept after a few seconds, drive there, arrive, work, report the result."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from tenacity import (
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from gridmap.demo.sim_client import Link, Refusal
from gridmap.demo.sim_crews import Officer, Phones, report_done
from gridmap.demo.sim_movement import METRES_PER_DEGREE, Mover, Streets, send_to

_log = logging.getLogger(__name__)
ARRIVED_M = 60.0


@dataclass
class Job:
    """A dispatch that a simulated crew works on. `due_s` is when its next step is due."""

    dispatch_id: str
    unit_id: str
    due_s: float
    stage: str = "offered"
    incident_id: str = ""
    lon: float = 0.0
    lat: float = 0.0


def listen(link: Link, stop: threading.Event, offers: queue.Queue[dict[str, Any]]) -> None:
    """Put every offer that the operator's live feed tells of into the queue, over restarts of the server."""
    patient = Retrying(
        retry=retry_if_exception_type(httpx.HTTPError),
        wait=wait_random_exponential(multiplier=0.5, max=15),
        stop=stop_when_event_set(stop),
        sleep=sleep_using_event(stop),
    )
    for attempt in patient:
        with attempt:
            _read(link, stop, offers)
            if not stop.is_set():
                raise httpx.ReadError("the feed ended")


def _read(link: Link, stop: threading.Event, offers: queue.Queue[dict[str, Any]]) -> None:
    topic = ""
    with link.events() as lines:
        for line in lines:
            if stop.is_set():
                return
            name, _, value = line.partition(":")
            if name == "event":
                topic = value.strip()
            elif name == "data" and topic == "dispatch":
                body = json.loads(value)
                if body.get("status") == "offered":
                    offers.put(body)


class Answers:
    """Moves the jobs of simulated crews on. `run` hands work to a thread that may wait for the server."""

    def __init__(
        self,
        phones: Phones,
        officers: dict[str, Officer],
        movers: dict[str, Mover],
        streets: Streets,
        run: Callable[[Callable[[], None]], object],
        rng: np.random.Generator,
    ) -> None:
        self._phones, self._officers, self._movers, self._streets = phones, officers, movers, streets
        self._run, self._rng = run, rng
        self._jobs: dict[str, Job] = {}

    def take(self, offer: dict[str, Any]) -> None:
        """Note an offer to a simulated crew; others are none of ours."""
        unit_id, dispatch_id = str(offer["unit_id"]), str(offer["id"])
        if unit_id in self._movers and dispatch_id not in self._jobs:
            due = time.monotonic() + float(self._rng.uniform(3, 11))
            self._jobs[dispatch_id] = Job(dispatch_id, unit_id, due)

    def step(self, now_s: float) -> None:
        """Start the next step of every job that is due."""
        for job in list(self._jobs.values()):
            if job.stage == "setting_out":
                # Here and not in the thread of the answer: only the loop's thread touches a mover's path.
                send_to(self._movers[job.unit_id], self._streets, job.lon, job.lat)
                job.stage = "going"
            elif job.stage == "going":
                self._check_arrival(job, now_s)
            elif job.due_s <= now_s and not job.stage.endswith("…"):
                stage, job.stage = job.stage, job.stage + "…"
                self._run(lambda job=job, stage=stage: self._advance(job, stage))  # type: ignore[misc]

    def _advance(self, job: Job, stage: str) -> None:
        officer, mover = self._officers[job.unit_id], self._movers[job.unit_id]
        try:
            if stage == "offered" and self._has_another(job):
                path = f"/api/dispatches/{job.dispatch_id}/decline"
                self._phones.call(officer, "POST", path, {"reason": "busy"})
                self._jobs.pop(job.dispatch_id, None)
            elif stage == "offered":
                self._accept(job, officer)
            elif stage == "there":
                self._phones.call(officer, "POST", f"/api/dispatches/{job.dispatch_id}/arrive", {})
                job.stage, job.due_s = "working", time.monotonic() + float(self._rng.uniform(40, 150))
            elif stage == "working":
                code = str(self._rng.choice(["solved", "not_found", "handed_over"], p=[0.86, 0.08, 0.06]))
                report_done(self._phones, officer, job.dispatch_id, job.incident_id, code)
                self._forget(job, mover)
        except Refusal as refusal:
            # Withdrawn, expired, or done from another phone: the job is over for this crew.
            _log.info("%s: %s", officer.call_sign, refusal)
            self._forget(job, mover)

    def _accept(self, job: Job, officer: Officer) -> None:
        self._phones.call(officer, "POST", f"/api/dispatches/{job.dispatch_id}/accept", {})
        self._phones.call(officer, "POST", f"/api/dispatches/{job.dispatch_id}/depart", {})
        state = self._phones.call(officer, "GET", "/api/patrol/state")
        mine = next(row for row in state["jobs"] if row["id"] == job.dispatch_id)
        incident = mine["incident"]
        job.incident_id = str(incident["id"])
        if incident["lon"] is None:
            job.stage, job.due_s = "there", time.monotonic() + 60
            return
        job.lon, job.lat = float(incident["lon"]), float(incident["lat"])
        job.stage = "setting_out"

    def _check_arrival(self, job: Job, now_s: float) -> None:
        mover = self._movers[job.unit_id]
        lon, lat = self._streets.position(mover)
        east = (lon - job.lon) * np.cos(np.radians(lat)) * METRES_PER_DEGREE
        near = float(np.hypot(east, (lat - job.lat) * METRES_PER_DEGREE)) < ARRIVED_M
        if near or not mover.path:
            job.stage, job.due_s = "there", now_s + float(self._rng.uniform(2, 6))

    def _has_another(self, job: Job) -> bool:
        """Whether the crew works on an earlier job."""
        return any(
            o.unit_id == job.unit_id and o is not job and o.stage != "offered" for o in self._jobs.values()
        )

    def _forget(self, job: Job, mover: Mover) -> None:
        self._jobs.pop(job.dispatch_id, None)
        if not self._has_another(job):
            mover.goal = None
