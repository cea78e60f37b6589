"""GeoJSON, GeoPackage and zipped Shapefile through GDAL; geometry stays packed (WKB) until it was
measured."""

from __future__ import annotations

import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from gridmap.errors import Invalid
from ingest.base import Chunk, Faults, Objects
from ingest.ceilings import Ceilings
from ingest.readers.packed import check_zip, unpack_member
from ingest.readers.text_table import check_rows
from ingest.readers.xlsx import cell_text

_SHAPEFILE_PARTS = frozenset({".shp", ".shx", ".dbf", ".prj", ".cpg"})


class VectorTable:
    """One layer of a vector file.

    Raises Invalid: "file_unreadable" (reason), "layer_unknown", "layer_ambiguous" (known), "crs_unknown".
    """

    rows_expected: int | None

    def __init__(
        self,
        gdal_name: str,
        label: str,
        ceilings: Ceilings,
        layer: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self._label = label
        self.encoding = encoding
        layer = layer or _only_layer(gdal_name, label)
        options: dict[str, Any] = {"layer": layer, "encoding": encoding}
        info = _guarded(label, pyogrio.read_info, gdal_name, **options)
        self.rows_expected = int(info["features"])
        if self.rows_expected >= 0:
            check_rows(self.rows_expected, ceilings)
        self._meta, self._wkb, self._values = _read(gdal_name, label, options)
        self.columns: tuple[str, ...] = tuple(str(name) for name in self._meta["fields"])
        self.has_geometry = self._wkb is not None
        self.crs_text: str | None = _name_crs(self._meta["crs"]) if self.has_geometry else None

    def chunks(self, size: int) -> Iterator[Chunk]:
        count = len(self._wkb) if self._wkb is not None else len(self._values[0]) if self._values else 0
        for start in range(0, count, size):
            stop = min(start + size, count)
            cells: dict[str, Objects] = {}
            for name, values in zip(self.columns, self._values, strict=True):
                cells[name] = np.array([_text(value) for value in values[start:stop]], dtype=object)
            wkb = self._wkb[start:stop] if self._wkb is not None else None
            yield Chunk(np.arange(start + 1, stop + 1, dtype=np.int64), cells, wkb, Faults())


def open_geojson(path: Path, ceilings: Ceilings, layer: str | None, encoding: str | None) -> VectorTable:
    """The driver is named, so that a file cannot make GDAL open something else."""
    return VectorTable(f"GeoJSON:{path}", path.name, ceilings, layer, encoding)


def open_geopackage(path: Path, ceilings: Ceilings, layer: str | None, encoding: str | None) -> VectorTable:
    return VectorTable(str(path), path.name, ceilings, layer, encoding)


def open_shapefile(path: Path, ceilings: Ceilings, layer: str | None, encoding: str | None) -> VectorTable:
    """A zip with one shapefile, or with several and `layer` naming one.

    The text encoding is what the .cpg says, else UTF-8 if it decodes, else GB18030.
    """
    members = check_zip(path, ceilings)
    stem = _pick_shapefile(members, path.name, layer)
    with tempfile.TemporaryDirectory(prefix="gridmap-shp-") as folder:
        for member in members:
            inside = PurePosixPath(member.filename)
            if str(inside.with_suffix("")) == stem and inside.suffix.lower() in _SHAPEFILE_PARTS:
                target = Path(folder) / f"layer{inside.suffix.lower()}"
                unpack_member(path, member, target, ceilings)
        shp = Path(folder) / "layer.shp"
        if not (Path(folder) / "layer.dbf").exists():
            raise Invalid("shapefile_incomplete", file=path.name, missing=".dbf")
        if encoding is None and not (Path(folder) / "layer.cpg").exists():
            return _open_guessing(shp, path.name, ceilings)
        return VectorTable(str(shp), path.name, ceilings, None, encoding)


def _open_guessing(shp: Path, label: str, ceilings: Ceilings) -> VectorTable:
    try:
        return VectorTable(str(shp), label, ceilings, None, "utf-8")
    except UnicodeDecodeError:
        return VectorTable(str(shp), label, ceilings, None, "gb18030")


def _pick_shapefile(members: list[zipfile.ZipInfo], label: str, layer: str | None) -> str:
    stems = {
        PurePosixPath(member.filename).stem: str(PurePosixPath(member.filename).with_suffix(""))
        for member in members
        if member.filename.lower().endswith(".shp") and not member.filename.startswith("__MACOSX")
    }
    if not stems:
        raise Invalid(
            "zip_content_unknown", file=label, members=[member.filename[:60] for member in members[:5]]
        )
    if layer is not None and layer not in stems:
        raise Invalid("layer_unknown", layer=layer, known=sorted(stems))
    if layer is None and len(stems) > 1:
        raise Invalid("layer_ambiguous", known=sorted(stems))
    return stems[layer] if layer is not None else next(iter(stems.values()))


def _only_layer(gdal_name: str, label: str) -> str:
    layers = [str(name) for name, _ in _guarded(label, pyogrio.list_layers, gdal_name)]
    if not layers:
        raise Invalid("file_empty", file=label)
    if len(layers) > 1:
        raise Invalid("layer_ambiguous", known=layers)
    return layers[0]


def _read(gdal_name: str, label: str, options: dict[str, Any]) -> tuple[dict[str, Any], Any, list[Any]]:
    with warnings.catch_warnings():
        # GDAL warns of what we check ourselves row by row (unclosed rings, NaN).
        warnings.simplefilter("ignore")
        meta, _, wkb, values = _guarded(
            label, pyogrio.raw.read, gdal_name, force_2d=True, datetime_as_string=True, **options
        )
    return meta, wkb, values


def _guarded(label: str, call: Any, *args: Any, **options: Any) -> Any:
    try:
        return call(*args, **options)
    except UnicodeDecodeError:
        raise
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        if isinstance(error, pyogrio.errors.DataLayerError):
            raise Invalid("layer_unknown", layer=str(options.get("layer")), file=label) from error
        raise Invalid("file_unreadable", file=label, reason=type(error).__name__) from error
    except (pyogrio.errors.FeatureError, pyogrio.errors.GeometryError, pyogrio.errors.FieldError) as error:
        raise Invalid("file_unreadable", file=label, reason=type(error).__name__) from error


def _name_crs(text: str | None) -> str | None:
    """The code of the system the file names; a system without a known code is unknown."""
    if text is None:
        return None
    try:
        crs = CRS.from_user_input(text)
        code = (crs.to_2d() if len(crs.axis_info) > 2 else crs).to_epsg()
    except CRSError:
        code = None
    return f"EPSG:{code}" if code is not None else f"unnamed {text[:60]}"


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return ";".join(_text(part) for part in value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return ""
    return cell_text(value)
