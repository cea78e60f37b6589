"""City components (部件): manhole covers, lamps, signs, bins."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="components",
    title=Name(zh="部件", en="Components"),
    geometry="point",
    function="feature",
    scope="map_paths",
    viewers=frozenset({"area.read"}),
    columns=(Column(name="id"), Column(name="name"), Column(name="kind"), Column(name="status")),
    style={"circle-radius": 3},
    legend=(LegendEntry(label=Name(zh="部件", en="Components"), color="#9a7fd1"),),
    order=40,
)
