"""The time of a tap that is told later: on the server's clock, and within bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridmap.domain.told_later import MOST_LATE, happened_at, within

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(hours=-8), timedelta(days=400)])
def test_a_phone_whose_clock_is_off_by_any_amount_tells_the_right_time(offset: timedelta) -> None:
    sent = NOW + offset
    assert happened_at(NOW, sent - 7 * MINUTE, sent) == NOW - 7 * MINUTE


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=5), -MINUTE])
def test_what_is_told_at_once_or_by_a_clock_set_back_counts_as_now(late: timedelta) -> None:
    assert happened_at(NOW, NOW - late, NOW) is None


def test_nothing_older_than_a_shift_is_believed() -> None:
    assert happened_at(NOW, NOW - timedelta(days=9), NOW) == NOW - MOST_LATE


def test_a_step_lies_between_the_one_before_it_and_now() -> None:
    before = NOW - 3 * MINUTE
    assert within(NOW, NOW - 2 * MINUTE, before) == NOW - 2 * MINUTE
    assert within(NOW, NOW - 9 * MINUTE, before, None) == before
    assert within(NOW, NOW + MINUTE) == NOW
    assert within(NOW, None, before) == NOW
