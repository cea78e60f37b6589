"""Things and places that help: hydrants, shelters, stores, clinics."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="resources",
    title=Name(zh="资源", en="Resources"),
    geometry="point",
    function="feature",
    scope="map_paths",
    viewers=frozenset({"area.read"}),
    columns=(Column(name="id"), Column(name="name"), Column(name="kind"), Column(name="status")),
    style={"circle-radius": 5},
    legend=(LegendEntry(label=Name(zh="资源", en="Resources"), color="#3fa37c"),),
    order=38,
)
