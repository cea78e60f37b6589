"""Building outlines with house numbers and households, near by only."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="buildings",
    title=Name(zh="楼栋", en="Buildings"),
    geometry="polygon",
    function="buildings",
    scope="public",
    viewers=frozenset({"area.read"}),
    columns=(
        Column(name="id"),
        Column(name="name"),
        Column(name="kind"),
        Column(name="house_number"),
        Column(name="levels", kind="number"),
        Column(name="height", kind="integer"),
        Column(name="households", kind="integer"),
    ),
    style={"line-width": 1},
    legend=(LegendEntry(label=Name(zh="楼栋", en="Building"), color="#8c8577"),),
    min_zoom=15,
    exact_from_zoom=15,
    order=20,
)
