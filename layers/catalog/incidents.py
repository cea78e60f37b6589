"""Incidents past and present, by class, status and time. Restricted ones and drills are never in it.

Open work also comes live over the stream; a screen that shows both asks this layer for `closed`.
"""

from layers.base import Column, Layer, LegendEntry, Name

_SEVERITY = ["match", ["get", "severity"], 1, "#d64545", 2, "#e08a2b", 3, "#d8b93a", "#7d95a8"]

LAYER = Layer(
    key="incidents",
    title=Name(zh="历史事件", en="Incident history"),
    geometry="point",
    function="incidents",
    scope="case_paths",
    viewers=frozenset({"case.read"}),
    columns=(
        Column(name="id"),
        Column(name="class"),
        Column(name="severity", kind="integer"),
        Column(name="status"),
        Column(name="at", kind="time"),
        Column(name="number", from_zoom=16),
    ),
    filters=frozenset({"class", "status", "from", "to"}),
    style={"circle-color": _SEVERITY, "circle-radius": 4},
    legend=(
        LegendEntry(label=Name(zh="特急", en="Critical"), color="#d64545", value="1"),
        LegendEntry(label=Name(zh="紧急", en="Urgent"), color="#e08a2b", value="2"),
        LegendEntry(label=Name(zh="一般", en="Normal"), color="#d8b93a", value="3"),
        LegendEntry(label=Name(zh="低", en="Low"), color="#7d95a8", value="4"),
    ),
    personal=True,
    order=50,
)
