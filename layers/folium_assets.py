"""Script and style for a one-file map, read from what set-up installed: a map product asks nothing of any host."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from gridmap.errors import Misconfigured

_HOME = Path(__file__).resolve().parent.parent / "web"
# A checkout has the packages themselves; a wheel may bring copies beside the built pages.
PLACES = (_HOME / "frontend" / "node_modules", _HOME / "static" / "dist" / "vendor")
_SCRIPTS = ("leaflet/dist/leaflet.js", "leaflet.markercluster/dist/leaflet.markercluster.js")
_STYLES = (
    "leaflet/dist/leaflet.css",
    "leaflet.markercluster/dist/MarkerCluster.css",
    "leaflet.markercluster/dist/MarkerCluster.Default.css",
)
_PICTURE = re.compile(r"url\(([\"']?)(?!data:)([^)\"']+)\1\)")
_SOURCE_MAP = re.compile(r"//# sourceMappingURL=\S+")


@dataclass(frozen=True)
class Assets:
    """Text to put between <script> and between <style>."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...]


def read_assets(places: tuple[Path, ...] = PLACES) -> Assets:
    """Raises Misconfigured("map_assets_missing") that names the first file that is nowhere."""
    return Assets(
        scripts=tuple(_script(_find(name, places)) for name in _SCRIPTS),
        styles=tuple(_style(_find(name, places)) for name in _STYLES),
    )


def _find(name: str, places: tuple[Path, ...]) -> Path:
    for place in places:
        if (place / name).is_file():
            return place / name
    raise Misconfigured("map_assets_missing", file=name, run="npm --prefix web/frontend ci")


def _script(path: Path) -> str:
    # A closing tag inside a string would end the page's own element.
    return _SOURCE_MAP.sub("", path.read_text(encoding="utf-8")).replace("</script", "<\\/script")


def _style(path: Path) -> str:
    """The style sheet with its pictures inside it."""

    def inlined(found: re.Match[str]) -> str:
        picture = path.parent / found.group(2)
        if not picture.is_file():
            return found.group(0)
        kind = "svg+xml" if picture.suffix == ".svg" else picture.suffix[1:]
        return f"url(data:image/{kind};base64,{base64.b64encode(picture.read_bytes()).decode()})"

    return _PICTURE.sub(inlined, path.read_text(encoding="utf-8"))
