"""Addresses as people write them, brought to a form in which two spellings of one place are equal.

Chinese addresses run from large to small: 省 市 区 街道 社区 路 号 栋 单元 室 (the order of GB/T 23705). What stands
before the road only says where to look; what comes after the building (单元, 室) is inside the house.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇一二两三四五六七八九十百千"

_DROPPED = re.compile(r"[\s\u3000,，.。·;；:：、'\"“”‘’()（）\[\]【】<>《》]+")
_DASHES = re.compile(r"[-－–—‐‑―~～至之]+(?=\d)")
# 弄 and 巷 number a lane off the road, 号 the house, 栋 and its kin one building of several at that number.
_SPELLED = re.compile(rf"([{_NUMERAL}]+)(?=号|弄|栋|幢|座|单元|室|楼)")

_ROAD_WORD = (
    r"(?:大道|公路|大街|胡同|路|街|道|巷|里弄|弄堂|坊|径|线)(?:[东南西北中][段路]?|[一二三四五六七八九十]段)?"
)
_NUMBER = r"\d+[a-z]?(?:-\d+)*[a-z]?"
_TAIL = re.compile(
    rf"^(?:(?P<lane>\d+)弄)?(?:(?P<house>{_NUMBER})(?:号院|号大院|号)?)?"
    rf"(?:-(?P<same>\d+))?(?:(?P<block>[\da-z]+)(?:号楼|栋|幢|座|楼))?"
)
_CHINESE_ROAD = re.compile(rf"^(?P<road>.*?{_ROAD_WORD})(?P<tail>\d.*)?$")
_LATIN_ROAD = re.compile(rf"^(?P<road>[^\d]{{3,}}?)\s*(?P<tail>{_NUMBER})?$")
_LATIN_NUMBER_FIRST = re.compile(rf"^(?P<tail>{_NUMBER})[\s,]+(?P<road>\D{{3,}})$")
_ADMINISTRATIVE = re.compile(
    r"(?:省|自治区|自治州|市|地区|盟|县|区|旗|街道办事处|街道|镇|乡|村委会|社区|居委会)"
)
_CJK = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart.

    Attributes:
        text: the whole in its normal form.
        roads: the road's normal form, longest reading first: "江北建设路" may be the road, or 建设路 in 江北.
        house_number: the number's normal form ("123弄45", "128/3", "34-1"), None when there is none.
        main_number: the same without the building ("128"), None as above.
        regions: administrative names before the road, largest first.
    """

    text: str
    roads: tuple[str, ...]
    house_number: str | None
    main_number: str | None
    regions: tuple[str, ...]


def normal_text(text: str) -> str:
    """One spelling for comparing: half width, lower case, no blanks or punctuation, dashes alike."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _DASHES.sub("-", _DROPPED.sub("", folded))


def is_chinese(text: str) -> bool:
    return bool(_CJK.search(text))


def normal_house_number(text: str) -> str | None:
    """The normal form of a house number; None when it holds no number.

    "128号3栋" is "128/3" (building 3 at number 128), "123弄45号" is "123弄45", "34号-1" is "34-1", "12 A" is "12a".
    """
    number = _spelled_to_digits(normal_text(text).removeprefix("no"))
    return _joined(number)


def main_house_number(number: str) -> str:
    """The house without the building: "128/3" -> "128"."""
    return number.partition("/")[0]


def leading_number(number: str) -> int | None:
    """The house's own number, for telling which of two is nearer: "123弄45" -> 45, "34-1" -> 34."""
    found = re.match(r"\d+", number.rpartition("弄")[2])
    return int(found.group()) if found else None


def parse_address(text: str) -> Address:
    """Take an address apart. Never fails: what is not understood stays in `text`."""
    whole = _spelled_to_digits(normal_text(text))
    road, tail = _split(whole, text)
    number = _joined(tail) if tail else None
    regions, rest = _regions(road or whole)
    roads = _readings(rest if road else "")
    return Address(whole, roads, number, main_house_number(number) if number else None, regions)


def _split(whole: str, original: str) -> tuple[str | None, str | None]:
    """(road with whatever stands before it, number with whatever comes after)."""
    if is_chinese(whole):
        found = _CHINESE_ROAD.match(whole)
        return (found["road"], found["tail"]) if found else (None, None)
    spaced = unicodedata.normalize("NFKC", original).casefold().strip()
    found = _LATIN_NUMBER_FIRST.match(spaced) or _LATIN_ROAD.match(spaced)
    if not found:
        return None, None
    return normal_text(found["road"]), normal_text(found["tail"] or "") or None


def _regions(text: str) -> tuple[tuple[str, ...], str]:
    """Administrative names at the front, and what follows. A name has two characters before its word, and
    something must be left over: 市民路 is a road."""
    regions: list[str] = []
    rest = text
    while found := _ADMINISTRATIVE.search(rest, 2):
        if found.end() >= len(rest):
            break
        regions.append(rest[: found.end()])
        rest = rest[found.end() :]
    return tuple(regions), rest


def _readings(road: str) -> tuple[str, ...]:
    """The road and, for Chinese, every shorter ending of at least three characters."""
    if not road:
        return ()
    if not is_chinese(road):
        return (road,)
    return tuple(road[start:] for start in range(max(1, len(road) - 2)))


def _joined(number: str) -> str | None:
    found = _TAIL.match(number)
    if not found or not (found["lane"] or found["house"] or found["block"]):
        return None
    house = found["house"] or ""
    if found["same"]:
        house += f"-{found['same']}"
    if found["lane"]:
        house = f"{found['lane']}弄{house}"
    if found["block"]:
        return f"{house}/{found['block']}"
    return house


def _spelled_to_digits(text: str) -> str:
    """二十八号 -> 28号; only before a word that counts houses, since 三元路 is a name."""
    return _SPELLED.sub(lambda found: str(_value(found.group(1))), text)


def _value(numeral: str) -> int:
    """The value of a Chinese numeral below ten thousand, also spelled digit by digit (一〇五)."""
    if not any(sign in _TENS for sign in numeral):
        return int("".join(str(_DIGITS[sign]) for sign in numeral))
    total, digit = 0, 0
    for sign in numeral:
        if sign in _TENS:
            total += (digit or 1) * _TENS[sign]
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit
