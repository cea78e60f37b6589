"""The pages' own font as one TrueType file with just the characters of a document, for formats that embed such a file.

The font lies there in a hundred compressed parts of variable weight; a PDF takes plain outlines of one weight.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path

from fontTools.merge import Merger
from fontTools.merge import Options as MergeOptions
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from layers.risk.fonts import Part, page_font

_WEIGHT = 450
_FULL_NAME, _POSTSCRIPT_NAME = 4, 6
# What a PDF does not use, or cannot be put together from several parts.
_DROPPED = [
    "GSUB",
    "GPOS",
    "GDEF",
    "BASE",
    "STAT",
    "HVAR",
    "VVAR",
    "MVAR",
    "avar",
    "vhea",
    "vmtx",
    "DSIG",
    "meta",
]


def font_file(text: Iterable[str], name: str) -> bytes:
    """TrueType with every character of `text` that the font has; the others show as missing. `name` is what readers and
    libraries tell it by: another one for another set of characters.

    Raises Misconfigured("map_assets_missing").
    """
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = page_font()
    needed = sorted(
        ((part, character) for character in {*text, " "} if (part := font.part_of(character)) is not None),
        key=lambda one: (one[0].path.name, one[1]),
    )
    parts = [
        _plain(part, "".join(character for _, character in found))
        for part, found in groupby(needed, key=lambda one: one[0])
    ]
    files = [io.BytesIO(one) for one in parts]
    merged = Merger(MergeOptions(drop_tables=_DROPPED)).merge(files) if len(files) > 1 else TTFont(files[0])
    for number in (_FULL_NAME, _POSTSCRIPT_NAME):
        merged["name"].setName(name, number, 3, 1, 0x409)
        merged["name"].setName(name, number, 1, 0, 0)
    return _saved(merged)


def _plain(part: Part, characters: str) -> bytes:
    """The part's outlines of these characters, of one weight."""
    opened = TTFont(io.BytesIO(_unpacked(part.path)), lazy=True)
    options = Options(
        drop_tables=[*Options._drop_tables_default, *_DROPPED], hinting=False, notdef_outline=True
    )
    options.name_IDs = ["*"]
    cutter = Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(opened)
    plain = instantiateVariableFont(opened, {"wght": _WEIGHT})
    return _saved(plain)


@cache
def _unpacked(path: Path) -> bytes:
    """A part as plain TrueType: unpacking takes most of the time, and the next document needs much the same parts."""
    font = TTFont(path)
    font.flavor = None
    return _saved(font)


def _saved(font: TTFont) -> bytes:
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
