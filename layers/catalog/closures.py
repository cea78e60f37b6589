"""Closed roads, standing and planned."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="closures",
    title=Name(zh="道路封闭", en="Road closures"),
    geometry="polygon",
    function="closures",
    scope="map_paths",
    viewers=frozenset({"area.read"}),
    columns=(
        Column(name="id"),
        Column(name="reason"),
        Column(name="modes"),
        Column(name="planned"),
        Column(name="starts_at", kind="time"),
        Column(name="ends_at", kind="time"),
    ),
    style={"fill-color": ["case", ["get", "planned"], "#d8b93a", "#d64545"], "fill-opacity": 0.45},
    legend=(
        LegendEntry(label=Name(zh="已封闭", en="Closed"), color="#d64545"),
        LegendEntry(label=Name(zh="计划封闭", en="Planned"), color="#d8b93a"),
    ),
    default_on=True,
    exact_from_zoom=0,
    order=45,
)
