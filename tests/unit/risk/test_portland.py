"""Real burglaries and car thefts, where they are at hand: the chosen model against what anybody could do without us."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gridmap.forecasting.cli import risk
from gridmap.risk.models import SIMPLE_MODELS

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
INCIDENTS, DISTRICTS = DATA / "portland_nij_2012_2017.csv.gz", DATA / "portland_police_districts.geojson"
pytestmark = pytest.mark.skipif(not INCIDENTS.exists(), reason="the real data are not here")


@pytest.mark.parametrize("kind", ["burglary", "motor vehicle theft"])
def test_the_chosen_model_is_no_worse_than_the_best_simple_rule(kind: str) -> None:
    words = ["backtest", "--incidents", str(INCIDENTS), "--areas", str(DISTRICTS), "--type", kind, "--json"]
    report = json.loads(CliRunner().invoke(risk, words, catch_exceptions=False).stdout)
    assert report["origins"] == 34
    chosen = report["models"][report["chosen"]]
    for name in SIMPLE_MODELS:
        rule = report["models"][name]
        assert chosen["log_score"] > rule["log_score"]
        for share, hit in rule["hit"].items():
            assert chosen["hit"][share] > hit - chosen["error"]["hit"][share]
    assert 0.85 < chosen["coverage90"] < 0.94
