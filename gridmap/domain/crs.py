"""Coordinate systems at the door: every incoming coordinate names its system; everything at rest is WGS84.

Shapes: arrays or scalars of equal length, lon (or easting) first, lat (or northing) second; degrees or, for
projected systems, the system's own unit. CGCS2000 is treated as equal to WGS84: the two ellipsoids differ by
a tenth of a millimetre and no authority publishes a better transformation than identity. Beijing 1954 and
Xian 1980 are refused, because their shift (up to 100 m) needs local parameters that nobody should guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from pyproj.transformer import AreaOfInterest, TransformerGroup

from gridmap.domain import offset
from gridmap.errors import Invalid

Family = Literal["WGS84", "CGCS2000", "GCJ-02", "BD-09", "EPSG"]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

_NAMES: dict[str, Family] = {
    "wgs84": "WGS84",
    "crs84": "WGS84",
    "urnogcdefcrsogc13crs84": "WGS84",
    "urnogcdefcrsogccrs84": "WGS84",
    "cgcs2000": "CGCS2000",
    "gcj02": "GCJ-02",
    "bd09": "BD-09",
    "bd09ll": "BD-09",
}
_EPSG = re.compile(r"^(?:urn:ogc:def:crs:)?epsg:(?:[\d.]*:)?(\d{4,6})$", re.IGNORECASE)
# Geographic bases whose shift to WGS84 depends on the place: Beijing 1954, Xian 1980, New Beijing.
_REFUSED_BASES = {4214: "beijing_1954", 4610: "xian_1980", 4555: "new_beijing"}
_EQUAL_BASES = frozenset({4326, 4490, 4979, 4479, 4480})


@dataclass(frozen=True)
class Crs:
    """A coordinate system that was understood. `epsg` is None for the two offsets, which have no code."""

    family: Family
    epsg: int | None

    @property
    def key(self) -> str:
        """The stable name that is stored beside imported rows."""
        return f"EPSG:{self.epsg}" if self.family == "EPSG" else self.family

    @property
    def is_degrees(self) -> bool:
        """Whether coordinates are lon, lat in degrees (so that range checks apply)."""
        return self.epsg is None or bool(CRS.from_epsg(self.epsg).is_geographic)


WGS84 = Crs("WGS84", 4326)
CGCS2000 = Crs("CGCS2000", 4490)
GCJ02 = Crs("GCJ-02", None)
BD09 = Crs("BD-09", None)
_NAMED = {crs.family: crs for crs in (WGS84, CGCS2000, GCJ02, BD09)}


def parse_crs(text: str) -> Crs:
    """Understand "WGS84", "CGCS2000", "GCJ-02", "bd09", "EPSG:4547", "urn:ogc:def:crs:EPSG::4490".

    Raises:
        Invalid: "crs_unknown" (text), or "crs_refused" (epsg, reason) where local parameters would be needed.
    """
    family = _NAMES.get(re.sub(r"[^a-z0-9]", "", text.lower()))
    if family is not None:
        return _NAMED[family]
    match = _EPSG.match(text.strip())
    if match is None:
        raise Invalid("crs_unknown", text=text[:80])
    named = {4326: WGS84, 4490: CGCS2000}.get(int(match.group(1)))
    return named or _from_epsg(int(match.group(1)))


def to_wgs84(lon: ArrayLike, lat: ArrayLike, system: Crs | str) -> Pair:
    """Coordinates of `system` as WGS84 degrees (lon, lat).

    NaN stays NaN; a projected coordinate outside its projection becomes infinite, so check the result.

    Raises:
        Invalid: "crs_unknown" or "crs_refused".
    """
    return _convert(lon, lat, system, inward=True)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, system: Crs | str) -> Pair:
    """WGS84 degrees (lon, lat) as coordinates of `system`; the reverse of `to_wgs84`."""
    return _convert(lon, lat, system, inward=False)


def geometry_to_wgs84(geometry: Any, system: Crs | str) -> Any:
    """One shapely geometry, or an array of them, moved to WGS84 vertex by vertex; z is dropped."""
    crs = _resolve(system)
    flat = shapely.force_2d(geometry)
    if crs.family in ("WGS84", "CGCS2000"):
        return flat
    return shapely.transform(flat, lambda x, y: to_wgs84(x, y, crs), interleaved=False)


def snap_1e9(geometry: Any) -> Any:
    """One shapely geometry, or an array of them, with every coordinate at a multiple of 1e-9 degree (0.1 mm).

    Rounds point by point, so equal vertices of neighbours stay equal; it never adds, drops or reorders a
    vertex. The database, Python and TypeScript all keep area coordinates on this lattice, so equality is
    exact everywhere.
    """
    return shapely.transform(geometry, lambda xy: np.round(xy * 1e9) / 1e9)


def _resolve(system: Crs | str) -> Crs:
    return parse_crs(system) if isinstance(system, str) else system


def _convert(lon: ArrayLike, lat: ArrayLike, system: Crs | str, *, inward: bool) -> Pair:
    crs = _resolve(system)
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if crs.family in ("WGS84", "CGCS2000"):
        return x, y
    if crs.family == "GCJ-02":
        return offset.gcj02_to_wgs84(x, y) if inward else offset.wgs84_to_gcj02(x, y)
    if crs.family == "BD-09":
        return offset.bd09_to_wgs84(x, y) if inward else offset.wgs84_to_bd09(x, y)
    assert crs.epsg is not None
    moved_x, moved_y = _transformer(crs.epsg).transform(x, y, direction="FORWARD" if inward else "INVERSE")
    return np.asarray(moved_x, dtype=np.float64), np.asarray(moved_y, dtype=np.float64)


@lru_cache(maxsize=64)
def _from_epsg(code: int) -> Crs:
    try:
        known = CRS.from_epsg(code)
    except CRSError as error:
        raise Invalid("crs_unknown", text=f"EPSG:{code}") from error
    base = known.geodetic_crs
    base_code = base.to_epsg() if base is not None else None
    if base_code in _REFUSED_BASES:
        raise Invalid("crs_refused", epsg=code, reason=f"{_REFUSED_BASES[base_code]}_needs_local_parameters")
    if not (known.is_geographic or known.is_projected):
        raise Invalid("crs_refused", epsg=code, reason="not_a_map_system")
    crs = Crs("EPSG", code)
    _transformer(code)
    return crs


@lru_cache(maxsize=64)
def _transformer(code: int) -> Transformer:
    known = CRS.from_epsg(code)
    base = known.geodetic_crs
    if base is not None and base.to_epsg() in _EQUAL_BASES:
        # Same datum for our purposes: undo the projection alone, so no "ballpark" datum step can slip in.
        return Transformer.from_crs(known, base, always_xy=True)
    use = known.area_of_use
    area = AreaOfInterest(use.west, use.south, use.east, use.north) if use is not None else None
    group = TransformerGroup(known, CRS.from_epsg(4326), always_xy=True, area_of_interest=area)
    candidates = group.transformers
    if not candidates or candidates[0].accuracy < 0:
        raise Invalid("crs_refused", epsg=code, reason="no_known_transformation")
    return candidates[0]
