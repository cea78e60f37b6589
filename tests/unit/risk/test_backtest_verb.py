"""`gridmap risk backtest` on files it has never seen, good and bad."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gridmap.errors import Invalid
from gridmap.forecasting.cli import risk
from gridmap.forecasting.moments import read_moments

KEYS = {"0.01", "0.02", "0.05", "0.1"}
MODELS = {"uniform", "count", "last_period", "kde", "kde_decay", "shrunk", "trigger", "mixture"}
Row = tuple[date, float, float, str]


def rows(count: int = 700, days: int = 400, seed: int = 1) -> list[Row]:
    rng = np.random.default_rng(seed)
    hot = rng.normal(0, 0.03, (6, 2))
    place = hot[rng.integers(0, 6, count)] + rng.normal(0, 0.004, (count, 2))
    day = np.sort(rng.integers(0, days, count))
    return [
        (date(2022, 1, 1) + timedelta(days=int(d)), 113.4 + x, 28.3 + y, "theft" if n % 3 else "fire")
        for n, (d, (x, y)) in enumerate(zip(day, place, strict=True))
    ]


def plain(cases: list[Row]) -> str:
    return "t,lon,lat,type\n" + "".join(f"{d},{x:.6f},{y:.6f},{kind}\n" for d, x, y, kind in cases)


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(risk, ["backtest", *words, "--json"], catch_exceptions=False)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_the_report_has_the_promised_keys(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(plain(rows()), encoding="utf-8")
    report = run("--incidents", str(file), "--cell-m", "500", "--horizon-days", "28")
    for one in (report, report["all"], report["types"]["theft"], report["types"]["fire"]):
        assert one["origins"] == 7
        assert one["chosen"] in MODELS
        assert set(one["models"]) == MODELS
        for score in one["models"].values():
            assert set(score) == {"hit", "pai", "pei", "log_score", "coverage90", "error"}
            assert (
                set(score["hit"])
                == set(score["pai"])
                == set(score["pei"])
                == set(score["error"]["hit"])
                == KEYS
            )
            assert 0 <= score["hit"]["0.1"] <= 1
    chosen = report["models"][report["chosen"]]
    assert chosen["log_score"] > 0.5
    assert (report["rows"], report["first"], report["without_place"]) == (700, "2022-01-02", 0)


def test_order_quotes_separator_names_and_gzip_do_not_matter(tmp_path: Path) -> None:
    cases = rows()
    plain_file, other = tmp_path / "plain.csv", tmp_path / "other.csv.gz"
    plain_file.write_text(plain(cases), encoding="utf-8")
    text = '"Type";"经度";"LAT";"Remark, free";"Datetime"\r\n' + "".join(
        f'"{kind}";"{x:.6f}";"{y:.6f}";"a, ""b"" ";"{d:%Y/%m/%d}"\r\n' for d, x, y, kind in cases
    )
    other.write_bytes(gzip.compress(text.encode("gb18030")))
    first, second = (run("--incidents", str(file), "--cell-m", "500") for file in (plain_file, other))
    assert first == second


def test_nothing_after_the_first_forecast_shapes_ground_or_choice(tmp_path: Path) -> None:
    cases = rows()
    moved = [(d, x + 0.2, y, kind) if d > date(2022, 9, 1) else (d, x, y, kind) for d, x, y, kind in cases]
    reports = []
    for name, content in (("a", cases), ("b", moved)):
        (tmp_path / name).write_text(plain(content), encoding="utf-8")
        reports.append(run("--incidents", str(tmp_path / name), "--cell-m", "500"))
    for key in ("crs", "cells", "area_km2", "chosen", "parameters", "tuned_on"):
        assert reports[0][key] == reports[1][key], key
    assert reports[0]["events"] > reports[1]["events"]


def test_late_records_are_not_seen_and_polygons_name_what_is_empty(tmp_path: Path) -> None:
    cases = rows()
    late = tmp_path / "late.csv"
    late.write_text(
        "t,lon,lat,type,recorded_at\n"
        + "".join(f"{d},{x},{y},{kind},{d + timedelta(days=45)}\n" for d, x, y, kind in cases),
        encoding="utf-8",
    )
    squares = [
        {
            "type": "Feature",
            "properties": {"beat": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[w, 28.2], [w + 0.1, 28.2], [w + 0.1, 28.4], [w, 28.4], [w, 28.2]]],
            },
        }
        for name, w in (("west", 113.3), ("east", 113.4), ("far", 113.7))
    ]
    areas = tmp_path / "beats.geojson"
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": squares}), encoding="utf-8")
    (tmp_path / "known.csv").write_text(plain(cases), encoding="utf-8")
    words = ("--areas", str(areas), "--cell-m", "1000")
    seen, known = (
        run("--incidents", str(late), *words),
        run("--incidents", str(tmp_path / "known.csv"), *words),
    )
    assert (seen["recorded_at"], known["recorded_at"]) == (True, False)
    assert seen["tuned_on"]["events"] < known["tuned_on"]["events"]
    assert seen["areas_without_history"] == ["far"]


def future(line: int) -> str:
    return f"{2090 if line == 5 else 2022}-01-{line % 28 + 1:02d},{113 + line / 1e3},{28 + line * 7 % 50 / 1e3},a"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "risk_no_events"),
        ("t,lon,lat,type\n", "risk_no_events"),
        ("t,lon,lat,type\n2024-01-01,,,a\n", "risk_no_events"),
        ("t,lon,lat,type\n2024-01-01,113,28,a\n", "risk_too_few_events"),
        ("t,lon,lat\n" + "".join(f"{d},113.1,28.2\n" for d, *_ in rows()), "risk_one_place"),
        ("t,lon,lat,type\n" + "\n".join(future(line) for line in range(200)), "risk_dates_in_future"),
        ("t,lon,type\n2024-01-01,113,a\n", "risk_columns_missing"),
        ("t,lon,lat,type\n2024-01-01,113,28,a\n2024-01-02,x,28,a\n", "risk_row_broken"),
        ("t,lon,lat,type\n2024-01-01,28,113,a\n", "risk_row_broken"),
        ("t,lon,lat,type\nyesterday,113,28,a\n", "risk_time_unreadable"),
        ("t,lon,lat,type\n03/04/2024,113,28,a\n", "risk_dates_ambiguous"),
        (plain(rows(days=30)), "risk_history_too_short"),
        ("Longitude of it;x\n113,28\n", "risk_columns_missing"),
        ("t,lon,lat,type\n2024-01-01,1e308,28,a\n", "risk_row_broken"),
        ("t,lon,lat,type\n2024-01-01,inf,28,a\n", "risk_row_broken"),
        ("t,lon,lat,type\n2024-01-01,11342000,28,a\n", "risk_row_broken"),
        # Longitude and latitude changed places: 113 degrees north there is not.
        (
            "t,lon,lat,type\n" + "".join(f"{d},{y},{x},{kind}\n" for d, x, y, kind in rows()),
            "risk_row_broken",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("risk") else "",
)
def test_bad_files_are_refused_with_a_code(tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(risk, ["backtest", "--incidents", str(file)])
    assert isinstance(done.exception, Invalid)
    assert done.exception.code == code


def test_one_row_far_away_is_told_and_does_not_stretch_the_ground(tmp_path: Path) -> None:
    """A slip of a digit within the globe's range: on the other side of it."""
    cases = rows()
    reports = []
    for strays in ([], [(-66.6, -28.3), (13.4, 28.3)]):
        file = tmp_path / "cases.csv"
        # One early, so that it could shape the ground, and one that is scored.
        extra = [(cases[at][0], x, y, "theft") for at, (x, y) in zip((10, -10), strays, strict=False)]
        file.write_text(plain([*cases, *extra]), encoding="utf-8")
        reports.append(run("--incidents", str(file), "--cell-m", "500"))
    right, slipped = reports
    assert slipped["cells"] == right["cells"]
    assert (right["outside"], slipped["outside"]) == (0, 1)
    assert slipped["models"]["kde"]["log_score"] == pytest.approx(
        right["models"]["kde"]["log_score"], abs=0.05
    )


def test_a_class_never_seen_before_the_first_forecast_has_an_answer(tmp_path: Path) -> None:
    cases = [*rows(), *((d, x, y, "new") for d, x, y, _ in rows(40, seed=3) if d > date(2022, 12, 1))]
    (tmp_path / "cases.csv").write_text(plain(cases), encoding="utf-8")
    report = run("--incidents", str(tmp_path / "cases.csv"), "--cell-m", "500")
    assert report["types"]["new"]["refused"]["code"].startswith("risk_")
    assert "NaN" not in json.dumps(report)


def test_an_unknown_class_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(plain(rows()), encoding="utf-8")
    for words, code in (
        (["--incidents", str(file), "--type", "arson"], "risk_class_unknown"),
        (["--incidents", str(tmp_path / "none.csv")], "file_not_found"),
        (["--incidents", str(file), "--areas", str(tmp_path / "none.geojson")], "file_not_found"),
    ):
        done = CliRunner().invoke(risk, ["backtest", *words])
        assert isinstance(done.exception, Invalid)
        assert done.exception.code == code


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("2017-03-01", None, "2017-03-01T00:00"),
        ("2017/3/1 7:05", None, "2017-03-01T07:05"),
        ("20170301", None, "2017-03-01T00:00"),
        ("3/14/2017 8:05 PM", None, "2017-03-14T20:05"),
        ("14.3.2017 08:05:30", None, "2017-03-14T08:05:30"),
        ("2017-03-01T07:05:00+08:00", None, "2017-03-01T07:05"),
        ("2017-03-01T07:05:00Z", "Asia/Shanghai", "2017-03-01T15:05"),
        ("2017-03-01T07:05:00.250-0800", "Asia/Shanghai", "2017-03-01T23:05:00.250"),
    ],
)  # fmt: skip
def test_times_are_read_as_they_are_meant(written: str, zone: str | None, meant: str) -> None:
    found = read_moments(pd.Series([written, ""]), ZoneInfo(zone) if zone else None)
    assert found.day[0] * 86_400 == pytest.approx(
        (np.datetime64(meant, "ms") - np.datetime64(0, "ms")) / np.timedelta64(1, "s")
    )
    assert np.isnan(found.day[1])
    assert found.precision[0] == (0 if ":" in written else 2)
