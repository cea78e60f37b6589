"""The page's icon as PNG, drawn when asked for: phones put no SVG on their home screen."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw

# What the phone systems ask for: 180 an iPhone, 192 and 512 a manifest.
SIZES_PX = (180, 192, 512)
# The drawing of frontend/public/icon.svg: its units, its colours.
_SIDE = 32
_GROUND, _LINE, _POINT = (31, 111, 178), (164, 199, 224), (255, 171, 64)
_LINES = ((6, 12, 26, 12), (6, 20, 26, 20), (12, 6, 12, 26), (20, 6, 20, 26))
_SMOOTHING = 4
# A launcher may cut a maskable icon to a circle of four fifths: what matters lies within.
_SAFE = 0.74


@lru_cache(maxsize=2 * len(SIZES_PX))
def icon_png(size_px: int, *, maskable: bool = False) -> bytes:
    """A square PNG, `size_px` a side. A maskable one fills the square to its corners and keeps clear of the rim."""
    side = size_px * _SMOOTHING
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    unit = side / _SIDE
    pen.rounded_rectangle((0, 0, side - 1, side - 1), radius=0 if maskable else 7 * unit, fill=_GROUND)
    shrink = _SAFE if maskable else 1.0

    def at(value: float) -> float:
        return ((value - _SIDE / 2) * shrink + _SIDE / 2) * unit

    for x0, y0, x1, y1 in _LINES:
        pen.line((at(x0), at(y0), at(x1), at(y1)), fill=_LINE, width=round(2 * unit * shrink))
    for radius, colour in ((6.3, _GROUND), (4, _POINT)):
        pen.ellipse((at(20 - radius), at(12 - radius), at(20 + radius), at(12 + radius)), fill=colour)
    out = io.BytesIO()
    picture.resize((size_px, size_px), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
