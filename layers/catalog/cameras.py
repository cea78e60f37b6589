"""Public cameras, with the sector they look at."""

from layers.base import Column, Layer, LegendEntry, Name

LAYER = Layer(
    key="cameras",
    title=Name(zh="监控探头", en="Cameras"),
    geometry="point",
    function="cameras",
    scope="map_paths",
    viewers=frozenset({"camera.read"}),
    columns=(
        Column(name="id"),
        Column(name="kind"),
        Column(name="status"),
        Column(name="heading", kind="integer"),
        Column(name="fov", kind="integer"),
        Column(name="range", kind="integer"),
        Column(name="name", from_zoom=16),
    ),
    filters=frozenset({"class", "status"}),
    style={
        "circle-color": [
            "match",
            ["get", "status"],
            "online",
            "#4f9dd9",
            "fault",
            "#d98e04",
            "offline",
            "#8a939b",
            "#5f6b76",
        ],
        "circle-radius": 4,
    },
    legend=(
        LegendEntry(label=Name(zh="在线", en="Online"), color="#4f9dd9", value="online"),
        LegendEntry(label=Name(zh="离线", en="Offline"), color="#8a939b", value="offline"),
        LegendEntry(label=Name(zh="故障", en="Fault"), color="#d98e04", value="fault"),
        LegendEntry(label=Name(zh="未知", en="Unknown"), color="#5f6b76", value="unknown"),
    ),
    order=60,
)
