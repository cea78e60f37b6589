"""The pages' own Chinese font in files that leave the house: a reader's machine may have none."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import ImageFont

from gridmap.errors import Misconfigured
from layers.folium_assets import PLACES

FAMILY = "Noto Sans SC Variable"
_CSS = "@fontsource-variable/noto-sans-sc/index.css"
_FACE = re.compile(r"url\(\./(files/[^)]+)\)[^;]*;\s*unicode-range:\s*([^;]+);")
_WEIGHT = 450


@dataclass(frozen=True)
class Part:
    """One file of the font and the characters that it has."""

    path: Path
    ranges_text: str
    ranges: tuple[tuple[int, int], ...]

    def has(self, character: str) -> bool:
        point = ord(character)
        return any(low <= point <= high for low, high in self.ranges)


@dataclass(frozen=True)
class PageFont:
    """The font comes in a hundred parts, each with some of the characters."""

    parts: tuple[Part, ...]

    def part_of(self, character: str) -> Part | None:
        return next((part for part in self.parts if part.has(character)), None)

    def face(self, character: str, size: int) -> Any:
        """A drawable face that has the character; one that shows it as missing where none has it."""
        return _load((self.part_of(character) or self.parts[-1]).path, size)

    def as_style(self, text: Iterable[str]) -> str:
        """Style with just the parts that `text` needs inside it."""
        needed = {part for character in set(text) if (part := self.part_of(character)) is not None}
        return "".join(
            f"@font-face {{font-family: '{FAMILY}'; font-weight: 100 900; unicode-range: {part.ranges_text};"
            f" src: url(data:font/woff2;base64,{base64.b64encode(part.path.read_bytes()).decode()})"
            " format('woff2-variations')}\n"
            for part in sorted(needed, key=lambda one: one.path.name)
        )


@cache
def _load(path: Path, size: int) -> Any:
    font = ImageFont.truetype(str(path), size)
    font.set_variation_by_axes([_WEIGHT])
    return font


@cache
def page_font() -> PageFont:
    """Raises Misconfigured("map_assets_missing") where set-up has not brought the font."""
    for place in PLACES:
        css = place / _CSS
        if css.is_file():
            found = _FACE.findall(css.read_text(encoding="utf-8"))
            return PageFont(
                tuple(
                    Part(css.parent / name, ranges.strip(), tuple(_range(one) for one in ranges.split(",")))
                    for name, ranges in found
                )
            )
    raise Misconfigured("map_assets_missing", file=_CSS, run="npm --prefix web/frontend ci")


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.strip().removeprefix("U+").partition("-")
    return int(low, 16), int(high or low, 16)
