"""Patrol routes as drawn or imported."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="routes",
    title=Name(zh="巡逻路线", en="Patrol routes"),
    geometry="line",
    function="feature",
    scope="map_paths",
    viewers=frozenset({"area.read"}),
    columns=(Column(name="id"), Column(name="name"), Column(name="kind"), Column(name="status")),
    style={"line-width": 2.5, "line-dasharray": [3, 2]},
    legend=(LegendEntry(label=Name(zh="巡逻路线", en="Patrol routes"), color="#5b8def"),),
    order=30,
)
