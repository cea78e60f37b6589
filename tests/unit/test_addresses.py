"""Spellings of one address are one address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.addresses import (
    leading_number,
    main_house_number,
    normal_house_number,
    parse_address,
)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("101", "101"),
        ("101号", "101"),
        ("１０１号", "101"),
        ("一百零一号", "101"),
        ("128号3栋", "128/3"),
        ("128号三栋2单元501室", "128/3"),
        ("128号3号楼", "128/3"),
        ("34号-1", "34-1"),
        ("34-1号", "34-1"),
        ("123弄45号", "123弄45"),
        ("123弄45号602室", "123弄45"),
        ("12 A", "12a"),
        ("No. 7", "7"),
        ("门口", None),
        ("", None),
    ],
)
def test_house_numbers(written: str, number: str | None) -> None:
    assert normal_house_number(written) == number


@pytest.mark.parametrize(
    ("written", "road", "number"),
    [
        ("建设路101号", "建设路", "101"),
        ("建设路１０１号", "建设路", "101"),
        ("建设路 101 号 附近", "建设路", "101"),
        ("江城市江北区河西街道建设路101号3栋2单元", "建设路", "101/3"),
        ("人民大道二十八号", "人民大道", "28"),
        ("南京东路123弄45号", "南京东路", "123弄45"),
        ("市民路5号", "市民路", "5"),
        ("建设路", "建设路", None),
        ("Landstrasse 12a", "landstrasse", "12a"),
        ("12 Main Street", "mainstreet", "12"),
    ],
)
def test_addresses(written: str, road: str, number: str | None) -> None:
    address = parse_address(written)
    assert address.roads[0] == road
    assert address.house_number == number


def test_a_region_without_its_word_leaves_shorter_readings() -> None:
    assert parse_address("江北建设路12号").roads == ("江北建设路", "北建设路", "建设路")


def test_regions_are_kept_in_order() -> None:
    assert parse_address("云河市江北区枫林镇建设路1号").regions == ("云河市", "江北区", "枫林镇")


def test_the_building_and_the_lane() -> None:
    assert main_house_number("128/3") == "128"
    assert leading_number("123弄45") == 45
    assert leading_number("34-1") == 34


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(text: str) -> None:
    assert parse_address(text).text == parse_address(text).text
    normal_house_number(text)
