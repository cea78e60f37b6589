"""Places that a site brought by hand: schools, stations, markets."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="places",
    title=Name(zh="地点", en="Places"),
    geometry="point",
    function="feature",
    scope="map_paths",
    viewers=frozenset({"area.read"}),
    columns=(Column(name="id"), Column(name="name"), Column(name="kind"), Column(name="status")),
    style={"circle-radius": 4},
    legend=(LegendEntry(label=Name(zh="地点", en="Places"), color="#b08d57"),),
    order=36,
)
