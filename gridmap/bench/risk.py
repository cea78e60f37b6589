"""`gridmap bench risk`: the surface of a million points against other programs and the direct sum, and a city's run."""

from __future__ import annotations

import resource
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import Point

from gridmap.adapters.processes import run
from gridmap.bench.city_run import CITY_CLASSES, CITY_EVENTS, city_run
from gridmap.errors import Unavailable
from gridmap.risk.arrays import Floats, Ints
from gridmap.risk.bandwidth import choose_bandwidth
from gridmap.risk.grid import Grid
from gridmap.risk.surface import smooth
from gridmap.settings import Settings

POINTS = 1_000_000
CELLS = 512
SIDE_M = 20_000.0
BANDWIDTH_M = 250.0
_SAMPLE, _SLOW = 400, 40
_RIVALS = ("KDEpy==1.1.12", "scikit-learn>=1.7", "scipy>=1.16")
_SCRIPT = Path(__file__).parent / "kde_rivals.py.txt"
_INSTALL_S, _RUN_S = 900.0, 1_800.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Points:
    """`x_m`, `y_m`, `day` of each point; `sample` flat cells at which densities are compared."""

    grid: Grid
    x_m: Floats
    y_m: Floats
    day: Floats
    sample: Ints


def run_risk_bench(base: Settings, points: int, say: Say, *, with_rivals: bool = True) -> dict[str, Any]:
    """Seconds are the best of five runs for ours, of three for KDEpy, extrapolated from 40 cells for the others."""
    say(f"{points} points onto {CELLS} x {CELLS}")
    made = _draw(points)
    ours_s, density = _time_ours(made)
    say("bandwidth by cross-validation")
    started = time.perf_counter()
    chosen = choose_bandwidth(made.grid, made.x_m, made.y_m, made.day)
    cv_s = time.perf_counter() - started
    say(f"a city: {CITY_EVENTS} incidents of {CITY_CLASSES} classes")
    city = city_run(say)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    say("the direct sum")
    exact, direct_s = _direct(made)
    seconds: dict[str, float | None] = {"ours": round(ours_s, 4)}
    errors: dict[str, float | None] = {"ours": _error(density.ravel()[made.sample] / points, exact)}
    if with_rivals:
        say("the others")
        rival_seconds, rival_errors = _rivals(base, made, exact)
        seconds |= rival_seconds
        errors |= rival_errors
    return {
        "seconds": seconds,
        "max_error": errors,
        "cv_s": round(cv_s, 3),
        "city_run_s": round(city.seconds, 2),
        "peak_mb": round(peak_mb),
        "conditions": {
            "points": points, "cells": CELLS, "cell_m": round(SIDE_M / CELLS, 3), "bandwidth_m": BANDWIDTH_M,
            "direct_sum_s": round(direct_s), "compared_cells": len(made.sample),
            "chosen_bandwidth_m": chosen.bandwidth_m, "candidates": len(chosen.candidates_m), "city": city.as_json(),
            "numpy": version("numpy"), "scipy": version("scipy"), "load_1m": round(_load(), 2),
        },
    }  # fmt: skip


def _draw(points: int) -> _Points:
    """A city of sixty spots on a thin spread in a disc, stretched so that its covariance is that of a circle.

    So the kernel of scipy, which has the shape of the data's covariance, is the same round one; and everything lies
    five bandwidths from the edge, where the correction is one and the direct sum is the truth.
    """
    rng = np.random.default_rng(1)
    spots = rng.normal(0, 2_200, (60, 2))
    xy = np.vstack(
        [
            spots[rng.integers(0, 60, points)] + rng.normal(0, 350, (points, 2)),
            rng.uniform(-7, 7, (points, 2)) * 1e3,
        ]
    )
    xy = rng.permutation(xy[np.hypot(*xy.T) < 6_900])[:points]
    shape = np.linalg.cholesky(np.linalg.inv(np.cov(xy.T)))
    xy = (xy - xy.mean(axis=0)) @ shape * 2_300 + SIDE_M / 2
    xy = xy[np.hypot(*(xy - SIDE_M / 2).T) < SIDE_M / 2 - 5 * BANDWIDTH_M]
    grid = Grid.of_polygon(Point(SIDE_M / 2, SIDE_M / 2).buffer(SIDE_M / 2, 64), SIDE_M / CELLS)
    counts = np.bincount(grid.cell_of(xy[:, 0], xy[:, 1]), minlength=grid.size)
    dense = np.argsort(-counts)[: CELLS**2 // 10]
    sample = np.unique(
        np.r_[rng.choice(dense, _SAMPLE // 2, replace=False), rng.choice(grid.size, _SAMPLE // 2)]
    )
    return _Points(
        grid, xy[:, 0].copy(), xy[:, 1].copy(), rng.uniform(0, 730, len(xy)), rng.permutation(sample)
    )


def _time_ours(made: _Points) -> tuple[float, Floats]:
    best = np.inf
    density = np.zeros(0)
    for _ in range(5):
        started = time.perf_counter()
        density = smooth(made.grid, made.x_m, made.y_m, BANDWIDTH_M)
        best = min(best, time.perf_counter() - started)
    return float(best), density


def _direct(made: _Points) -> tuple[Floats, float]:
    """Density per point at the sample by the plain sum, and how long all cells would take."""
    x, y = made.grid.x_m[made.sample % CELLS], made.grid.y_m[made.sample // CELLS]
    started = time.perf_counter()
    found = [
        float(np.exp(((made.x_m - a) ** 2 + (made.y_m - b) ** 2) / (-2 * BANDWIDTH_M**2)).sum())
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    seconds = (time.perf_counter() - started) / len(found) * made.grid.size
    return np.array(found) / (2 * np.pi * BANDWIDTH_M**2 * len(made.x_m)), seconds


def _error(found: Floats, exact: Floats) -> float:
    """Largest error over the highest density."""
    return float(f"{np.abs(found - exact).max() / exact.max():.2e}")


def _rivals(
    base: Settings, made: _Points, exact: Floats
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    folder = base.data_dir / "bench" / "kde-rivals"
    python = _environment(folder)
    given, answer = folder / "points.npz", folder / "rivals.npz"
    np.savez(
        given, xy=np.column_stack([made.x_m, made.y_m]), cells=CELLS, side_m=SIDE_M, bandwidth_m=BANDWIDTH_M,
        sample=made.sample, slow=_SLOW,
    )  # fmt: skip
    script = folder / "kde_rivals.py"
    script.write_text(_SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    done = run([python, script, given, answer], timeout_s=_RUN_S)
    if done.status != 0:
        raise Unavailable("bench_rivals_failed", reason=done.output[-400:])
    with np.load(answer) as found:
        place = {int(cell): number for number, cell in enumerate(made.sample)}
        slow = exact[[place[int(cell)] for cell in found["slow"]]]
        seconds: dict[str, float | None] = {
            "kdepy_m": round(float(found["kdepy_m_s"]), 3),
            "kdepy_scaled": round(float(found["kdepy_scaled_s"]), 3),
            "scipy_extrapolated": round(float(found["scipy_s"])),
            "sklearn_extrapolated": round(float(found["sklearn_s"])),
        }
        errors: dict[str, float | None] = {
            "kdepy_m": _error(found["kdepy_m_density"], exact),
            "kdepy_scaled": _error(found["kdepy_scaled_density"], exact),
            "scipy": _error(found["scipy_density"], slow),
            "sklearn": _error(found["sklearn_density"], slow),
        }
    given.unlink()
    return seconds, errors


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        done = run([python, "-m", "pip", "install", "--quiet", *_RIVALS], timeout_s=_INSTALL_S)
        if done.status != 0:
            raise Unavailable("kde_rivals_not_installable", reason=done.output[-400:])
        (folder / "complete").touch()
    return python


def _load() -> float:
    return float(Path("/proc/loadavg").read_text(encoding="ascii").split()[0])
