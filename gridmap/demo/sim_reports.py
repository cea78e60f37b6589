"""What happens in the demo while it runs: reports over all channels, duplicates among them, and the storm."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

SCENES_NAME = "scenes.csv"
STORM_REPORTS = 300
STORM_S = 600.0
STORM_CLASSES = ("C5.03", "S1.07", "C5.04", "C5.06", "S1.06", "S5.01", "C6.02", "S2.10")
STORM_RADIUS_DEG = 0.03
DUPLICATE_SHARE = 0.12
# Share of a day's reports in each hour, mean one.
_COURSE = np.array(
    [0.45, 0.35, 0.3, 0.25, 0.25, 0.35, 0.6, 0.95, 1.3, 1.4, 1.35, 1.25,
     1.15, 1.1, 1.15, 1.25, 1.3, 1.45, 1.5, 1.4, 1.3, 1.15, 0.9, 0.65]
)  # fmt: skip
_HALLS = ("call_12345", "call_110", "public", "sensor")


@dataclass(frozen=True)
class Scene:
    """Something that happened like this before: a row of the history without its time."""

    channel: str
    class_key: str
    text: str
    address: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Due:
    """A report and when it is to be sent (seconds of the simulator's own clock)."""

    at_s: float
    scene: Scene
    ref: str


def load_scenes(folder: Path) -> list[Scene]:
    """Read `scenes.csv` of a generated district."""
    with (folder / SCENES_NAME).open(encoding="utf-8", newline="") as handle:
        return [
            Scene(r["channel"], r["class"], r["text"], r["address"], float(r["lon"]), float(r["lat"]))
            for r in csv.DictReader(handle)
        ]


class Caller:
    """Decides when the next reports come. `per_day` is the mean without storm; `speed_up` multiplies it."""

    def __init__(
        self, scenes: list[Scene], per_day: float, speed_up: float, run: str, rng: np.random.Generator
    ) -> None:
        self._scenes = scenes
        self._mean_per_s = per_day * speed_up / 86_400
        self._run = run
        self._rng = rng
        self._count = 0
        self._waiting: list[Due] = []

    def storm(self, now_s: float) -> None:
        """300 reports in the ten minutes from now, around one place, of the classes that bad weather brings."""
        eye = self._scenes[int(self._rng.integers(len(self._scenes)))]
        near = [
            s for s in self._scenes
            if s.class_key in STORM_CLASSES and abs(s.lon - eye.lon) + abs(s.lat - eye.lat) < STORM_RADIUS_DEG
        ] or self._scenes  # fmt: skip
        for at in np.sort(self._rng.uniform(0, STORM_S, STORM_REPORTS)):
            scene = near[int(self._rng.integers(len(near)))]
            self._plan(now_s + float(at), scene)

    def due(self, now_s: float, passed_s: float, clock: datetime) -> list[Due]:
        """Reports to send now; `clock` is the local time, for the course over the day."""
        for _ in range(int(self._rng.poisson(self._mean_per_s * passed_s * _COURSE[clock.hour]))):
            scene = self._scenes[int(self._rng.integers(len(self._scenes)))]
            self._plan(now_s, scene)
            if self._rng.random() < DUPLICATE_SHARE:
                again = _HALLS[int(self._rng.integers(3))]
                second = Scene(again, scene.class_key, scene.text, scene.address, scene.lon, scene.lat)
                self._plan(now_s + float(self._rng.exponential(180.0)) + 10, second)
        ready = [due for due in self._waiting if due.at_s <= now_s]
        self._waiting = [due for due in self._waiting if due.at_s > now_s]
        return ready

    def _plan(self, at_s: float, scene: Scene) -> None:
        self._count += 1
        shift = self._rng.normal(0, 0.00012, 2)
        moved = Scene(
            scene.channel, scene.class_key, scene.text, scene.address,
            round(scene.lon + float(shift[0]), 7), round(scene.lat + float(shift[1]), 7),
        )  # fmt: skip
        self._waiting.append(Due(at_s, moved, f"{self._run}-{self._count:06d}"))


def body_of(due: Due, source: str | None) -> dict[str, Any]:
    """The request body of a report; a token's own source is not named again (None)."""
    scene = due.scene
    named = {} if source is None else {"source": source}
    return named | {
        "channel": scene.channel, "source_ref": due.ref, "class_key": scene.class_key,
        "text": scene.text, "address": scene.address, "lon": scene.lon, "lat": scene.lat,
    }  # fmt: skip
