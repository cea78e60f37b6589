"""Identity and phone numbers do not survive in free text; other digits do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.masking import mask_numbers


@pytest.mark.parametrize(
    ("given_text", "masked"),
    [
        ("联系13800001234", "联系138****1234"),
        ("联系 138 0000 1234。", "联系 138****1234。"),
        ("身份证99010119900101123X", "身份证990101********123X"),
        ("座机0731-88881234", "座机0731****1234"),
        ("3号楼2单元501, 20260601-00012", "3号楼2单元501, 20260601-00012"),
        ("网格990101001001001", "网格990101001001001"),
    ],
)
def test_known_forms(given_text: str, masked: str) -> None:
    assert mask_numbers(given_text) == masked


@given(
    st.text(alphabet="甲乙, 。"), st.from_regex(r"1[3-9]\d{9}", fullmatch=True), st.text(alphabet="丙丁, 。")
)
def test_no_mobile_number_survives(before: str, number: str, after: str) -> None:
    assert number not in mask_numbers(before + number + after)
