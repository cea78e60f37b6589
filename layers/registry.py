"""Every layer of the catalogue, found by looking: one file, one layer, the file's name is its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from gridmap.domain.actor import Actor
from gridmap.errors import Misconfigured, NotFound
from layers.base import Layer

CATALOG = Path(__file__).parent / "catalog"
_PACKAGE = "layers.catalog"
_KEY = re.compile(r"[a-z][a-z0-9_]{1,40}")


@cache
def registry() -> Mapping[str, Layer]:
    """Layers by key, in drawing order. Raises Misconfigured that names the file when one is broken."""
    return load_registry(CATALOG, _PACKAGE)


def load_registry(folder: Path, package: str) -> Mapping[str, Layer]:
    """Import `<package>.<file>` for each file of `folder` and take the one `LAYER` it holds."""
    found = [_layer_of(path, package) for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
    return {layer.key: layer for layer in sorted(found, key=lambda layer: (layer.order, layer.key))}


def get_layer(key: str) -> Layer:
    """The layer of that key. Raises NotFound("layer_unknown")."""
    found = registry().get(key)
    if found is None:
        raise NotFound("layer_unknown", layer=key)
    return found


def get_visible_layer(key: str, actor: Actor) -> Layer:
    """The layer, when the actor may see it; otherwise as if there were none."""
    found = get_layer(key)
    if not found.visible_to(actor):
        raise NotFound("layer_unknown", layer=key)
    return found


def list_layers(actor: Actor) -> list[Layer]:
    """The layers the actor may see, lowest drawn first."""
    return [layer for layer in registry().values() if layer.visible_to(actor)]


def _layer_of(path: Path, package: str) -> Layer:
    try:
        module = import_module(f"{package}.{path.stem}")
    except Exception as error:
        raise Misconfigured(
            "layer_broken", file=path.name, reason=f"{type(error).__name__}: {error}"
        ) from error
    layer = getattr(module, "LAYER", None)
    if not isinstance(layer, Layer):
        raise Misconfigured("layer_missing", file=path.name)
    if layer.key != path.stem or not _KEY.fullmatch(layer.key):
        raise Misconfigured("layer_key_is_not_file_name", file=path.name, key=layer.key)
    if not layer.viewers:
        raise Misconfigured("layer_has_no_viewers", file=path.name)
    return layer
