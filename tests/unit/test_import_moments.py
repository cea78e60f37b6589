"""Times of files: zones, what a text shows, and default times that are no knowledge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.base import Faults, objects
from ingest.moments import Exactness, Moments, parse_moments

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def parse(*texts: str | None, zone: ZoneInfo = SHANGHAI) -> tuple[Moments, Exactness, Faults]:
    exactness, faults = Exactness(), Faults()
    return parse_moments(objects(texts), zone, "t", NOW, exactness, faults), exactness, faults


@pytest.mark.parametrize(
    ("text", "utc", "shown"),
    [
        ("2018-02-08T15:34:40", "2018-02-08T07:34:40", "minute"),
        ("2018-02-08 15:34", "2018-02-08T07:34:00", "minute"),
        ("2018/2/8 15:34:40.5", "2018-02-08T07:34:40", "minute"),
        ("2018年2月8日15时34分", "2018-02-08T07:34:00", "minute"),
        ("2018年2月8日 15时34分", "2018-02-08T07:34:00", "minute"),
        ("2018-02-08 15", "2018-02-08T07:00:00", "hour"),
        ("2018-02-08", "2018-02-07T16:00:00", "day"),
        ("20180208", "2018-02-07T16:00:00", "day"),
        ("2018年2月", "2018-01-31T16:00:00", "month"),
        ("2018-02", "2018-01-31T16:00:00", "month"),
        ("2018-02-08T15:34:40Z", "2018-02-08T15:34:40", "minute"),
        ("2018-02-08T15:34:40-05:00", "2018-02-08T20:34:40", "minute"),
    ],
)
def test_shapes(text: str, utc: str, shown: str) -> None:
    moments, _, faults = parse(text)
    assert moments.at[0] == np.datetime64(utc)
    assert (moments.shown[0], faults.by_row) == (shown, {})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("yesterday", "time_unreadable"),
        ("2018-13-01", "time_unreadable"),
        ("2018-02-30", "time_unreadable"),
        ("08/02/2018", "time_unreadable"),
        ("1899-12-31", "time_too_early"),
        ("2026-07-01", "time_in_future"),
    ],
)
def test_times_that_are_none(text: str, code: str) -> None:
    _, _, faults = parse(text)
    assert [fault.code for fault in faults.by_row[0]] == [code]


def test_clocks_that_were_put_forward_and_back() -> None:
    oregon = ZoneInfo("America/Los_Angeles")
    moments, _, faults = parse("2017-03-12 02:30", "2017-11-05 01:30", zone=oregon)
    assert [fault.code for fault in faults.by_row[0]] == ["time_never_was"]
    assert moments.at[1] == np.datetime64("2017-11-05T08:30")


def test_a_default_time_is_no_knowledge() -> None:
    _, only_dates, _ = parse("2018-02-08 00:00:00", "2018-02-09 00:00")
    assert only_dates.precision("minute") == "day"
    _, with_times, _ = parse("2018-02-08 00:00:00", "2018-02-09 10:21")
    assert with_times.precision("minute") == "minute"
    _, on_the_hour, _ = parse(*(f"2018-02-08 {hour:02}:00" for hour in range(24)))
    assert on_the_hour.precision("minute") == "hour"
    assert on_the_hour.precision("month") == "month"


def test_missing_stays_missing() -> None:
    moments, _, faults = parse(None, "2018-02-08")
    assert np.isnat(moments.at[0])
    assert faults.by_row == {}


@given(
    at=st.datetimes(datetime(1992, 1, 1), datetime(2025, 12, 31)),  # noqa: DTZ001 - local times
    zone=st.sampled_from(["Asia/Shanghai", "UTC", "Asia/Kolkata"]),
)
def test_every_local_minute_comes_back(at: datetime, zone: str) -> None:
    moments, _, faults = parse(at.strftime("%Y-%m-%d %H:%M:%S"), zone=ZoneInfo(zone))
    back = datetime.fromisoformat(str(moments.at[0].astype("datetime64[s]"))).replace(tzinfo=UTC)
    assert back.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - at < timedelta(seconds=1)
    assert faults.by_row == {}
