"""Borders of the administrative tree, finer with the zoom; label points stand in the tile's layer `areas_label`."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="areas",
    title=Name(zh="区划与网格", en="Areas and grids"),
    geometry="polygon",
    function="areas",
    scope="public",
    viewers=frozenset({"area.read"}),
    columns=(
        Column(name="code"),
        Column(name="level"),
        Column(name="name"),
        Column(name="path"),
    ),
    filters=frozenset({"class"}),
    style={
        "line-width": [
            "interpolate",
            ["linear"],
            ["zoom"],
            8,
            ["match", ["get", "level"], ["province", "city", "county"], 2, 0.8],
            15,
            [
                "match",
                ["get", "level"],
                ["province", "city", "county"],
                4,
                "township",
                3,
                "community",
                2,
                1.2,
            ],
        ]
    },
    legend=(LegendEntry(label=Name(zh="边界", en="Border"), color="#7f8c97"),),
    default_on=True,
    exact_from_zoom=0,
    order=10,
)
