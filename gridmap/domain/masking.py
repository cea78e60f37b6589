"""Hiding identity and phone numbers in free text that comes from outside."""

from __future__ import annotations

import re

# A mainland identity number: 17 digits and a check digit or X. A mobile number: 11 digits from 13 to 19. A landline:
# area code, a dash or none, 7 or 8 digits. Digits glued to more digits are left to the longer pattern.
_IDENTITY = re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dXx])(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})-?\d{3,4}(\d{4})(?!\d)")


def mask_numbers(text: str) -> str:
    """Keep the first digits and the last, so that two mentions can still be told apart."""
    text = _IDENTITY.sub(r"\1********\2", text)
    text = _MOBILE.sub(r"\1****\2", text)
    return _LANDLINE.sub(r"\1****\2", text)
