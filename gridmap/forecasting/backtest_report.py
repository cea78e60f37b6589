"""A backtest as JSON and as lines to read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from gridmap.risk.arrays import Floats
from gridmap.risk.backtest import Refused, Report, Score, TypeReport
from gridmap.risk.choice import Tuned
from gridmap.risk.models import SIMPLE_MODELS
from gridmap.risk.scoring import AREA_SHARES

# Less would be printed as nothing.
_TOLD = 0.0005


def as_json(report: Report) -> dict[str, Any]:
    """`origins`, `chosen`, `models` of all types together, the same under "all", and one such object per type."""
    whole = _one(report.all)
    types = {name: _refused(one) if isinstance(one, Refused) else _one(one) for name, one in report.types}
    return {**whole, "all": whole, "types": types}


def lines_of(report: Report) -> Iterator[str]:
    """A table per type, best log score first."""
    shown = {"all": report.all, **dict(report.types)}
    for name, one in shown.items():
        yield ""
        if isinstance(one, Refused):
            yield f"{name}: {one.code} {one.params}"
            continue
        yield f"{name}: {one.events} events, {len(one.origins_d)} origins, chosen: {one.chosen}"
        heads = ("hit 1%", "2%", "5%", "10%", "PAI 5%")
        yield f"  {'model':<12} {' '.join(f'{head:>7}' for head in heads)} {'log score':>17} {'in 90%':>7}"
        for model in sorted(one.models, key=lambda model: -one.score_of(model).log_score):
            score = one.score_of(model)
            hits = " ".join(f"{value:7.3f}" for value in score.hit)
            logs = f"{score.log_score:9.3f} ± {score.log_error:5.3f}"
            mark = "*" if model == one.chosen else " "
            yield f"{mark} {model:<12} {hits} {score.pai[2]:7.2f} {logs} {score.coverage90:7.3f}"
        yield from _falls_short(one)


def _falls_short(one: TypeReport) -> Iterator[str]:
    """Where a simple rule did better than the chosen model, in so many words."""
    chosen = one.score_of(one.chosen)
    for name in SIMPLE_MODELS:
        if name not in one.models:
            continue
        rule = one.score_of(name)
        if rule.log_score > chosen.log_score + _TOLD:
            yield f"  {name} has the better log score, by {rule.log_score - chosen.log_score:.3f}"
        for share, ours, theirs in zip(AREA_SHARES, chosen.hit, rule.hit, strict=True):
            if theirs > ours + _TOLD:
                yield f"  {name} has the better hit rate at {share:.0%} of the area, by {theirs - ours:.3f}"


def _one(one: TypeReport) -> dict[str, Any]:
    return {
        "origins": len(one.origins_d),
        "chosen": one.chosen,
        "events": one.events,
        "outside": one.outside,
        "tuned_on": {"windows": one.choice.windows, "events": one.choice.events},
        "parameters": {tuned.model: _recipe(tuned) for tuned in one.choice.tuned},
        "models": {name: _score(score) for name, score in zip(one.models, one.scores, strict=True)},
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "hit": _shares(score.hit),
        "pai": _shares(score.pai),
        "pei": _shares(score.pei),
        "log_score": _number(score.log_score),
        "coverage90": _number(score.coverage90),
        "error": {
            "hit": _shares(score.hit_error),
            "pai": _shares(score.pai_error),
            "pei": _shares(score.pei_error),
            "log_score": _number(score.log_error),
            "coverage90": _number(score.coverage_error),
        },
    }


def _recipe(tuned: Tuned) -> dict[str, Any]:
    parts = [
        {
            "weight": _number(weight),
            **{
                name: value
                for name, value in (
                    ("bandwidth_m", part.bandwidth_m),
                    ("half_life_d", part.half_life_d),
                    ("last_d", part.last_d),
                    ("strength", part.strength),
                )
                if value is not None and math.isfinite(value)
            },
        }
        for part, weight in zip(tuned.recipe.parts, tuned.recipe.weights, strict=True)
    ]
    return {
        "earlier_log_score": _number(tuned.log_score),
        "dispersion": _number(tuned.dispersion),
        "parts": parts,
    }


def _refused(one: Refused) -> dict[str, Any]:
    return {"refused": {"code": one.code, "params": one.params}}


def _shares(values: Floats) -> dict[str, float | None]:
    return {f"{share:g}": _number(value) for share, value in zip(AREA_SHARES, values.tolist(), strict=True)}


def _number(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None
