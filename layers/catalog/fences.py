"""Fences that stand now: drawn zones, the ground of call-outs, watched closures; none of a restricted case."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="fences",
    title=Name(zh="电子围栏", en="Fences"),
    geometry="polygon",
    function="fences",
    scope="map_paths",
    viewers=frozenset({"fence.read"}),
    columns=(
        Column(name="id"),
        Column(name="name"),
        Column(name="kind"),
        Column(name="purpose"),
        Column(name="drill"),
    ),
    filters=frozenset({"class"}),
    style={"line-width": 1.5, "line-dasharray": [4, 2], "fill-opacity": 0.06},
    legend=(
        LegendEntry(label=Name(zh="围栏", en="Zone"), color="#5b8def", value="zone"),
        LegendEntry(label=Name(zh="派单范围", en="Call-out"), color="#d9822b", value="callout"),
        LegendEntry(label=Name(zh="封闭监看", en="Watched closure"), color="#8a6fd1", value="closure_watch"),
    ),
    personal=True,
    exact_from_zoom=0,
    order=28,
)
