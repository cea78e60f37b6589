"""The live demo: people move along streets and things happen, all of it through the public endpoints.

Run as `python -m gridmap.demo.simulator --url … --log-ins FILE --district DIR`. SIGTERM and SIGINT end it;
SIGUSR1 starts a storm (300 reports in ten minutes).
"""

from __future__ import annotations

import json
import logging
import queue
import secrets
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import numpy as np

from gridmap.demo.district.street_graph import load_street_graph
from gridmap.demo.sim_answers import Answers, listen
from gridmap.demo.sim_client import Link, Refusal, Stopped
from gridmap.demo.sim_crews import Officer, Phones, change_duty, is_on_shift
from gridmap.demo.sim_movement import Mover, Streets, step
from gridmap.demo.sim_reports import Caller, Due, body_of, load_scenes
from gridmap.demo.sim_units import UnitCard, load_cards

_log = logging.getLogger(__name__)
TICK_S = 1.0
FIX_EVERY_S = 8.0
RESTING_FIX_EVERY_S = 40.0
BATCH = 400
LOG_INS_PER_TICK = 2
REPORTS_PER_DAY = 440.0


@dataclass
class _World:
    """Everything that the loop works on."""

    streets: Streets
    movers: dict[str, Mover]
    officers: dict[str, Officer]
    on_duty: set[str]
    last_fix_s: dict[str, float] = field(default_factory=dict)
    changing: set[str] = field(default_factory=set)


class Simulator:
    """One run. All waiting ends when `stop` is set.

    Args:
        base_url: the server. ca_file: certificate authority of a demo's site certificate.
        credentials_file: the demo's log-ins (staff, officers, officer_password, tokens).
        district: folder of the generated district (streets.npz, scenes.csv, units.xlsx, manifest.json).
        respond: simulated crews answer offers made to them.
        speed_up: how many times faster than life reports come in.
        zone: local time, by which shifts and the course over the day go.
    """

    def __init__(
        self,
        base_url: str,
        credentials_file: Path,
        district: Path,
        stop: threading.Event,
        *,
        ca_file: Path | None = None,
        respond: bool = False,
        speed_up: float = 4.0,
        seed: int | None = None,
        zone: ZoneInfo | None = None,
    ) -> None:
        log_ins = json.loads(credentials_file.read_text(encoding="utf-8"))
        self._zone = zone or ZoneInfo("Asia/Shanghai")
        self._stop, self._respond = stop, respond
        self._rng = np.random.default_rng(seed)
        self._storm = threading.Event()
        self._new_link: Callable[[str | None], Link] = lambda token: Link(base_url, ca_file, stop, token)
        self._operator = next(p for p in log_ins["staff"] if p["role"] == "operator")
        self._tokens: dict[str, str] = log_ins["tokens"]
        self._phones = Phones(base_url, ca_file, log_ins["officer_password"], stop)
        self._world = self._make_world([Officer(**row) for row in log_ins["officers"]], district)
        # A reference of this run, so that a second one does not repeat the first one's messages.
        self._caller = Caller(
            load_scenes(district), REPORTS_PER_DAY, speed_up, secrets.token_hex(4), self._rng
        )

    def storm(self) -> None:
        """Start a storm at the next tick; may be called from a signal handler."""
        self._storm.set()

    def run(self) -> None:
        """Move, report and answer until told to stop."""
        links = {name: self._new_link(token) for name, token in self._tokens.items()}
        screen = self._new_link(None)
        offers: queue.Queue[dict[str, Any]] = queue.Queue()
        with ThreadPoolExecutor(max_workers=3) as pool:
            try:
                screen.log_in(self._operator["login"], self._operator["password"])
                self._learn_duty(screen)
                answers = self._answers(pool) if self._respond else None
                if answers is not None:
                    pool.submit(listen, screen, self._stop, offers)
                self._loop(pool, links, offers, answers)
            except Stopped:
                _log.info("stopped")
            finally:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                for link in (*links.values(), screen):
                    link.close()
                self._phones.close()

    def _loop(
        self,
        pool: ThreadPoolExecutor,
        links: dict[str, Link],
        offers: queue.Queue[dict[str, Any]],
        answers: Answers | None,
    ) -> None:
        before = time.monotonic()
        while not self._stop.wait(TICK_S):
            now = time.monotonic()
            passed, before = now - before, now
            local = datetime.now(self._zone)
            for unit_id in list(self._world.on_duty):
                step(self._world.movers[unit_id], self._world.streets, passed, self._rng)
            self._send_fixes(links["positions"], now)
            if self._storm.is_set():
                self._storm.clear()
                self._caller.storm(now)
            for due in self._caller.due(now, passed, local):
                self._send_report(pool, links, due)
            self._keep_shifts(pool, local)
            if answers is not None:
                while not offers.empty():
                    answers.take(offers.get())
                answers.step(now)

    def _make_world(self, officers: list[Officer], district: Path) -> _World:
        streets = Streets(load_street_graph(district))
        cards = load_cards(district)
        movers = {
            o.unit_id: self._place(o, cards[o.unit_ref], streets) for o in officers if o.unit_ref in cards
        }
        known = {o.unit_id: o for o in officers if o.unit_id in movers}
        return _World(streets, movers, known, set())

    def _place(self, officer: Officer, card: UnitCard, streets: Streets) -> Mover:
        home = streets.nodes_of(card.area)
        if card.mode in ("car", "emergency_car"):
            home = np.array([n for n in home if streets.has_car_streets(int(n))])
        start = int(home[self._rng.integers(len(home))])
        mover = Mover(officer.unit_id, card.mode, home, start)
        mover.rest_s = float(self._rng.uniform(0, 200))
        return mover

    def _answers(self, pool: ThreadPoolExecutor) -> Answers:
        world = self._world
        return Answers(self._phones, world.officers, world.movers, world.streets, pool.submit, self._rng)

    def _learn_duty(self, screen: Link) -> None:
        """Who is on duty already, from an earlier run."""
        found = screen.call("GET", "/api/units", status="free,busy,break")
        self._world.on_duty = {str(u["id"]) for u in found["items"]} & set(self._world.movers)

    def _keep_shifts(self, pool: ThreadPoolExecutor, local: datetime) -> None:
        """A few crews at a time start or end their duty, as their shift says; patrols first."""
        world = self._world
        wrong = [
            officer
            for unit_id, officer in world.officers.items()
            if unit_id not in world.changing and is_on_shift(officer, local) != (unit_id in world.on_duty)
        ]
        wrong.sort(key=lambda officer: officer.kind == "grid_worker")
        if len(world.changing) >= 2 * LOG_INS_PER_TICK:
            return
        for officer in wrong[:LOG_INS_PER_TICK]:
            world.changing.add(officer.unit_id)
            pool.submit(self._change_duty, officer, officer.unit_id not in world.on_duty)

    def _change_duty(self, officer: Officer, on: bool) -> None:
        if change_duty(self._phones, officer, on=on):
            (self._world.on_duty.add if on else self._world.on_duty.discard)(officer.unit_id)
        self._world.changing.discard(officer.unit_id)

    def _send_fixes(self, gateway: Link, now: float) -> None:
        """Positions of those that are due, all units of the district through one gateway."""
        world, stamp = self._world, datetime.now(UTC).isoformat()
        fixes, senders = [], []
        for unit_id in list(world.on_duty):
            mover = world.movers[unit_id]
            every = FIX_EVERY_S if mover.speed_mps > 0 else RESTING_FIX_EVERY_S
            if now - world.last_fix_s.get(unit_id, -1e9) < every:
                continue
            fixes.append(self._fix(mover, stamp))
            senders.append(unit_id)
            world.last_fix_s[unit_id] = now + float(self._rng.uniform(-1, 1))
        for first in range(0, len(fixes), BATCH):
            answer = gateway.call("POST", "/api/positions", {"fixes": fixes[first : first + BATCH]})
            for refused in answer["refused"]:
                if refused["code"] == "off_duty":
                    world.on_duty.discard(senders[first + int(refused["index"])])

    def _fix(self, mover: Mover, stamp: str) -> dict[str, Any]:
        lon, lat = self._world.streets.position(mover)
        noise = self._rng.normal(0, 0.00003, 2)
        return {
            "unit_id": mover.unit_id, "lon": round(lon + float(noise[0]), 7), "lat": round(lat + float(noise[1]), 7),
            "fixed_at": stamp, "accuracy_m": round(float(self._rng.uniform(4, 14)), 1),
            "speed_mps": round(mover.speed_mps, 1), "heading_deg": round(mover.heading_deg, 1) % 360,
        }  # fmt: skip

    def _send_report(self, pool: ThreadPoolExecutor, links: dict[str, Link], due: Due) -> None:
        """A hotline, sensor or public report by its token; a worker's or patrol's by their own phone."""
        channel = due.scene.channel
        if channel in links:
            self._told(lambda: links[channel].call("POST", "/api/reports", body_of(due, None)))
            return
        kind = "grid_worker" if channel == "grid_worker" else "patrol"
        crews = [o for u, o in self._world.officers.items() if o.kind == kind and u in self._world.on_duty]
        if crews:
            officer = crews[int(self._rng.integers(len(crews)))]
            body = body_of(due, f"demo-{channel}")
            pool.submit(self._told, lambda: self._phones.call(officer, "POST", "/api/reports", body))

    @staticmethod
    def _told(send: Callable[[], Any]) -> None:
        try:
            send()
        except Refusal as refusal:
            _log.warning("%s", refusal)


def run_simulator(
    base_url: str,
    credentials_file: Path,
    district: Path,
    *,
    storm: bool = False,
    respond: bool = False,
    speed_up: float = 4.0,
    ca_file: Path | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Simulate until `stop` is set (or for ever); see `Simulator` for the arguments."""
    simulator = Simulator(
        base_url, credentials_file, district, stop or threading.Event(), ca_file=ca_file, respond=respond,
        speed_up=speed_up,
    )  # fmt: skip
    if storm:
        simulator.storm()
    simulator.run()


@click.command()
@click.option("--url", required=True, help="Address of the server.")
@click.option("--log-ins", required=True, type=click.Path(path_type=Path), help="The demo's log-ins.")
@click.option(
    "--district", required=True, type=click.Path(path_type=Path), help="Folder of the generated district."
)
@click.option("--ca", type=click.Path(path_type=Path), help="Certificate authority of the server.")
@click.option("--storm", is_flag=True, help="Begin with 300 reports in ten minutes.")
@click.option("--respond/--no-respond", default=False, help="Crews answer offers by themselves.")
@click.option(
    "--speed-up", default=4.0, show_default=True, help="Reports come this many times faster than in life."
)
def main(
    url: str, log_ins: Path, district: Path, ca: Path | None, storm: bool, respond: bool, speed_up: float
) -> None:
    """Simulate the people of a demo district."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = threading.Event()
    simulator = Simulator(url, log_ins, district, stop, ca_file=ca, respond=respond, speed_up=speed_up)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    signal.signal(signal.SIGUSR1, lambda _number, _frame: simulator.storm())
    if storm:
        simulator.storm()
    simulator.run()


if __name__ == "__main__":
    main()
