"""The main job, walked through the public endpoints as two browsers and a phone would: report to verified close."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridmap.clock import SystemClock
from gridmap.demo.client import ApiClient, EventStream, Refused
from gridmap.errors import GridmapError

_FEED_TIMEOUT_S = 5.0
_POSITION_TIMEOUT_S = 15.0
_TILE_ZOOM = 15
# The officer waits this far north of the report: near enough to be offered it, not there yet.
_AWAY_DEG = 0.004


class CheckFailed(GridmapError):
    """A step of the walk did not do what it must."""

    default_code = "check_failed"


@dataclass(frozen=True)
class LogIns:
    """Log-in name and password of the three people of the walk."""

    operator: tuple[str, str]
    shift_lead: tuple[str, str]
    patrol: tuple[str, str]


@dataclass(frozen=True)
class Step:
    """One step that was walked: what, how long, and a word on what was found."""

    name: str
    ms: float
    found: str


@dataclass
class Walk:
    """The walk and what it remembers from step to step."""

    url: str
    ca_file: Path | None
    log_ins: LogIns
    on_step: Callable[[Step], object]
    steps: list[Step] = field(default_factory=list)

    def run(self) -> None:
        """Walk every step. Raises CheckFailed that names the step and what was wrong."""
        self.operator = ApiClient(self.url, self.ca_file)
        self.lead = ApiClient(self.url, self.ca_file)
        self.phone = ApiClient(self.url, self.ca_file)
        try:
            self._step("log in", self._log_in)
            with self.operator.listen() as self.screen, self.phone.listen() as self.officer_feed:
                self._walk_with_feeds()
        finally:
            for client in (self.operator, self.lead, self.phone):
                client.close()

    def _walk_with_feeds(self) -> None:
        self._step("areas", self._areas)
        self._step("tiles", self._tiles)
        self._step("officer goes on duty", self._on_duty)
        self._step("report", self._report)
        self._step("report reaches the screen", self._on_screen)
        self._step("recommend", self._recommend)
        self._step("offer", self._offer)
        self._step("offer reaches the phone", self._on_phone)
        self._step("accept", self._accept)
        self._step("go and arrive", self._arrive)
        self._step("report done", self._done)
        self._step("verify and close", self._verify)
        self._step("read the whole case", self._read_case)
        self._step("log out", self._log_out)

    def _step(self, name: str, walk: Callable[[], str]) -> None:
        begun = time.monotonic()
        try:
            found = walk()
        except Refused as refused:
            raise CheckFailed(step=name, reason=refused.code, **refused.params) from None
        except (KeyError, IndexError, TypeError) as error:
            reason = f"the answer lacks {error}"
            raise CheckFailed(step=name, reason=reason) from error
        step = Step(name, round((time.monotonic() - begun) * 1000, 1), found)
        self.steps.append(step)
        self.on_step(step)

    def _log_in(self) -> str:
        me = self.operator.log_in(*self.log_ins.operator)
        self.lead.log_in(*self.log_ins.shift_lead)
        self.unit = self.phone.log_in(*self.log_ins.patrol)["unit"]
        _require("log in", self.unit is not None, "the officer's account has no unit")
        self.center = me["deployment"]["center"]
        _require("log in", self.center is not None, "no areas are loaded")
        return f"{me['account']['login']}, {self.unit['call_sign']}"

    def _areas(self) -> str:
        items = self.operator.get("/api/areas", parent="root")["items"]
        _require("areas", bool(items), "no areas are loaded")
        top = self.operator.get(f"/api/areas/{items[0]['id']}")
        _require("areas", top["geometry"]["type"] == "MultiPolygon", "the area has no shape")
        return str(items[0]["name"])

    def _tiles(self) -> str:
        """One tile of every layer at the place of a camera near the middle; that camera must be in its tile."""
        lon, lat = self.center
        box = f"{lon - 0.05},{lat - 0.05},{lon + 0.05},{lat + 0.05}"
        cameras = self.operator.get("/api/cameras", bbox=box)["items"]
        _require("tiles", bool(cameras), "no camera near the middle of the district")
        nearest = min(cameras, key=lambda camera: _apart(camera["lon"], camera["lat"], lon, lat))
        self.lon, self.lat = nearest["lon"], nearest["lat"]
        layers = [layer for layer in self.operator.get("/api/layers")["items"] if layer["kind"] == "tile"]
        sizes = {layer["key"]: self._tile_bytes(layer) for layer in layers}
        _require("tiles", sizes.get("cameras", 0) > 0, "the tile of a camera is empty")
        return ", ".join(f"{key} {size} B" for key, size in sizes.items())

    def _tile_bytes(self, layer: dict[str, Any]) -> int:
        zoom = max(layer["min_zoom"], min(_TILE_ZOOM, layer["max_zoom"]))
        x, y = _tile_of(self.lon, self.lat, zoom)
        path = str(layer["url"]).replace("{z}", str(zoom)).replace("{x}", str(x)).replace("{y}", str(y))
        return len(self.operator.fetch(path))

    def _on_duty(self) -> str:
        duty = self.phone.get("/api/patrol/state")["duty"]
        if not duty["on"]:
            # The check runs at any hour, also outside this crew's shift.
            self.phone.post("/api/patrol/duty", {"action": "start", "reason": "check"})
        self._send_position(self.lon, self.lat + _AWAY_DEG)
        return str(self.unit["call_sign"])

    def _send_position(self, lon: float, lat: float) -> None:
        fix = {"lon": lon, "lat": lat, "fixed_at": _now_text(), "accuracy_m": 8.0}
        answer = self.phone.post("/api/positions", {"fixes": [fix]})
        _require("positions", answer["accepted"] == 1, f"the fix was refused: {answer['refused']}")

    def _report(self) -> str:
        classes = self.operator.get("/api/vocab")["classes"]
        fitting = [
            row["key"]
            for row in classes
            if row["parent"] and not row["photo_required"] and not row["restricted"] and row["severity"] >= 2
        ]
        body = {
            "channel": "operator",
            "class_key": fitting[0],
            "text": "演示检查：路面有障碍物 / demo check: something lies in the road",
            "lon": self.lon,
            "lat": self.lat,
            "crs": "WGS84",
        }
        self.reported_at = time.monotonic()
        answer = self.operator.post("/api/reports", body)
        _require("report", answer["created"] is True, "the report made no incident of its own")
        self.incident = answer["incident"]["id"]
        return str(answer["incident"]["number"])

    def _on_screen(self) -> str:
        return _within(
            self.screen, self.reported_at, "incident", lambda body: body.get("id") == self.incident
        )

    def _recommend(self) -> str:
        """The officer's first fix may still be on its way through the positions process."""
        deadline = time.monotonic() + _POSITION_TIMEOUT_S
        while True:
            answer = self.operator.get(f"/api/incidents/{self.incident}/recommendation", limit=30)
            ours = [row for row in answer["items"] if row["unit_id"] == self.unit["id"]]
            if ours:
                break
            _require("recommend", time.monotonic() < deadline, f"{self.unit['call_sign']} is not recommended")
            time.sleep(0.25)
        return f"{answer['method']}, {len(answer['items'])} of {answer['candidates']}, {ours[0]['seconds']} s away"

    def _offer(self) -> str:
        self.offered_at = time.monotonic()
        answer = self.operator.post(
            f"/api/incidents/{self.incident}/dispatches", {"unit_id": self.unit["id"], "expires_s": 120}
        )
        self.dispatch = answer["id"]
        return str(answer["status"])

    def _on_phone(self) -> str:
        took = _within(
            self.officer_feed,
            self.offered_at,
            "dispatch",
            lambda body: self.dispatch in (body.get("id"), body.get("dispatch_id")),
        )
        offers = self.phone.get("/api/patrol/state")["offers"]
        ours = [offer for offer in offers if offer["dispatch_id"] == self.dispatch]
        _require("offer reaches the phone", bool(ours), "the phone shows no offer")
        told = {"address", "text", "contact", "lon", "lat"} & ours[0].keys()
        _require("offer reaches the phone", not told, f"the offer tells {sorted(told)} before it is accepted")
        self.phone.post("/api/patrol/seen", {"dispatch_ids": [self.dispatch]})
        return took

    def _accept(self) -> str:
        return str(self.phone.post(f"/api/dispatches/{self.dispatch}/accept")["status"])

    def _arrive(self) -> str:
        self.phone.post(f"/api/dispatches/{self.dispatch}/depart")
        self._send_position(self.lon, self.lat)
        return str(self.phone.post(f"/api/dispatches/{self.dispatch}/arrive")["status"])

    def _done(self) -> str:
        body = {"code": "solved", "note": "已清理 / cleared", "photo_ids": []}
        return str(self.phone.post(f"/api/dispatches/{self.dispatch}/done", body)["status"])

    def _verify(self) -> str:
        """By another person: whoever handles does not verify."""
        body = {"outcome": "solved", "note": "核实无误 / verified"}
        answer = self.lead.post(f"/api/incidents/{self.incident}/verify", body)
        _require("verify and close", answer["status"] == "closed", f"the case is {answer['status']}")
        return str(answer["outcome"])

    def _read_case(self) -> str:
        case = self.operator.get(f"/api/incidents/{self.incident}")
        _require("read the whole case", case["status"] == "closed", f"the case is {case['status']}")
        return f"{len(case['timeline'])} entries in the timeline"

    def _log_out(self) -> str:
        self.phone.post("/api/patrol/duty", {"action": "stop"})
        for client in (self.operator, self.lead, self.phone):
            client.post("/api/logout")
        try:
            self.operator.get("/api/me")
        except Refused as refused:
            return str(refused.params.get("problem"))
        raise CheckFailed(step="log out", reason="the session still works")


def _require(step: str, holds: bool, otherwise: str) -> None:
    if not holds:
        raise CheckFailed(step=step, reason=otherwise)


def _within(feed: EventStream, since: float, topic: str, ours: Callable[[dict[str, Any]], bool]) -> str:
    came = feed.wait_for(lambda name, body: name == topic and ours(body), _FEED_TIMEOUT_S)
    if came is None:
        raise CheckFailed(step=f"{topic} over the live feed", reason=f"not within {_FEED_TIMEOUT_S:g} s")
    return f"{(came - since) * 1000:.0f} ms after it was sent"


def _apart(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """A plain measure to choose the nearest by, in degrees of latitude; no distance."""
    return math.hypot((lon - other_lon) * math.cos(math.radians(lat)), lat - other_lat)


def _tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Column and row of the Web Mercator tile that holds a point."""
    tiles = 2**zoom
    x = int((lon + 180.0) / 360.0 * tiles)
    y = int((1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * tiles)
    return x, y


def _now_text() -> str:
    return SystemClock().now().isoformat().replace("+00:00", "Z")
