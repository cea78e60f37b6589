"""The catalogue is found by looking, and a broken file stops loudly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gridmap.domain.actor import Actor
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid, Misconfigured, NotFound
from layers.base import TileFilter
from layers.registry import CATALOG, get_layer, get_visible_layer, list_layers, load_registry, registry

GOOD = """
from layers.base import Layer, Name
LAYER = Layer(key="{key}", title=Name(zh="甲", en="A"), geometry="point", function="feature", scope="map_paths",
              viewers=frozenset({viewers}), columns=(), style={{}})
"""


def actor_with(*verbs: str, paths: tuple[str, ...] = ("1",)) -> Actor:
    return Actor(
        account_id=None,
        login="x",
        display_name="x",
        verbs=frozenset(verbs),
        case_paths=paths,
        map_paths=paths,
        write_paths=(),
    )


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable folder of layer files of its own."""
    package = f"catalogue_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / package
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]


def test_every_file_of_the_catalogue_is_a_layer() -> None:
    files = {path.stem for path in CATALOG.glob("*.py")} - {"__init__"}
    assert set(registry()) == files
    assert {"areas", "cameras", "incidents", "resources", "components", "routes", "buildings"} <= files


def test_every_viewer_is_a_verb_of_the_roles_table() -> None:
    known = {verb for role in vocabulary().roles.values() for verb in role.verbs}
    for layer in registry().values():
        assert layer.viewers <= known


def test_a_layer_describes_itself_for_the_screens() -> None:
    for layer in registry().values():
        told = layer.describe("7.1")
        assert told["url"] == f"/api/tiles/{layer.key}/7.1/{{z}}/{{x}}/{{y}}.mvt"
        assert told["title"].keys() == {"zh", "en"}
        assert told["min_zoom"] <= told["exact_from_zoom"] or layer.geometry != "point"


def test_a_new_layer_is_one_file(catalogue: Path) -> None:
    (catalogue / "hydrants.py").write_text(GOOD.format(key="hydrants", viewers={"area.read"}))
    assert list(load_registry(catalogue, catalogue.name)) == ["hydrants"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("this is no Python", "layer_broken"),
        ("import nothing_of_that_name", "layer_broken"),
        ("LAYER = 3", "layer_missing"),
        ("", "layer_missing"),
        (GOOD.format(key="other", viewers={"area.read"}), "layer_key_is_not_file_name"),
        (GOOD.format(key="hydrants", viewers="()"), "layer_has_no_viewers"),
    ],
)
def test_a_broken_file_stops_and_is_named(catalogue: Path, text: str, code: str) -> None:
    (catalogue / "hydrants.py").write_text(text)
    with pytest.raises(Misconfigured) as refused:
        load_registry(catalogue, catalogue.name)
    assert refused.value.code == code
    assert refused.value.params["file"] == "hydrants.py"


def test_who_may_not_see_a_layer_is_not_told_of_it() -> None:
    nobody = actor_with("audit.read")
    assert list_layers(nobody) == []
    for key in ("cameras", "no_such_layer"):
        with pytest.raises(NotFound) as refused:
            get_visible_layer(key, nobody)
        assert refused.value.code == "layer_unknown"
    assert get_visible_layer("cameras", actor_with("camera.read")).key == "cameras"


def test_two_scopes_never_share_a_digest() -> None:
    cameras, incidents = get_layer("cameras"), get_layer("incidents")
    mine = actor_with("camera.read", paths=("1.2",))
    assert cameras.scope_digest(mine) != cameras.scope_digest(actor_with("camera.read", paths=("1.3",)))
    assert cameras.scope_digest(mine) != cameras.scope_digest(actor_with(paths=("1.2",)))
    assert cameras.scope_digest(mine) == cameras.scope_digest(actor_with("camera.read", "x", paths=("1.2",)))
    assert incidents.scope_digest(mine) != cameras.scope_digest(mine)


@pytest.mark.parametrize("tile", [(-1, 0, 0), (21, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_a_tile_that_does_not_exist_is_refused(tile: tuple[int, int, int]) -> None:
    with pytest.raises(Invalid) as refused:
        get_layer("cameras").check(*tile, TileFilter())
    assert refused.value.code == "no_such_tile"


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        get_layer("resources").check(3, 0, 0, TileFilter(classes=("a",)))
    assert refused.value.code == "filter_unknown"
