"""Each protocol's payloads become the same typed reading, and their traps are known: units, unknowns, odd times."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.errors import Invalid
from gridmap.positions.decoders import osmand, owntracks
from gridmap.positions.decoders.phone import decode as decode_phone
from gridmap.positions.fixes import Reading
from tests import payloads

AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
TST = int(AT.timestamp())
LATER = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)


def query(text: str) -> osmand.Message:
    return osmand.decode_parameters(parse_qsl(text), LATER)


def only(message: osmand.Message) -> Reading:
    (found,) = message.readings
    return found


def test_owntracks_of_both_phones() -> None:
    message = owntracks.decode(payloads.owntracks(payloads.OWNTRACKS_ANDROID, 113.0, 28.2, TST))
    assert message is not None
    assert message.reading == Reading(
        lon=113.0, lat=28.2, fixed_at=AT, accuracy_m=12, speed_mps=5.0, heading_deg=271, battery_pct=71
    ), "18 km/h are 5 m/s"
    assert message.trigger == "t"
    message = owntracks.decode(payloads.owntracks(payloads.OWNTRACKS_IOS, 113.0, 28.2, TST))
    assert message is not None
    assert message.reading is not None
    assert (message.topic, message.reading.speed_mps) == ("owntracks/d7/phone", 0)
    assert message.reading.heading_deg is None


def test_owntracks_entering_a_region_is_a_place_too() -> None:
    message = owntracks.decode(payloads.owntracks(payloads.OWNTRACKS_TRANSITION, 113.0, 28.2, TST))
    assert message is not None
    assert (message.type, message.event) == ("transition", "leave")
    assert message.reading is not None
    assert message.reading.accuracy_m == 65


@pytest.mark.parametrize("kind", payloads.OWNTRACKS_OTHERS, ids=lambda kind: kind["_type"])
def test_owntracks_types_without_a_place(kind: dict[str, object]) -> None:
    message = owntracks.decode(json.dumps(kind).encode())
    assert message is not None
    assert message.reading is None
    assert message.fault == ("encrypted" if kind["_type"] == "encrypted" else None)


def test_owntracks_that_is_none() -> None:
    assert owntracks.decode(b"") is None
    assert owntracks.decode(b" \n") is None
    for bad in (b"[", b"[]", b"{}", b'{"_type": 1}', b"\xff\xfe", b"[" * 100_000):
        with pytest.raises(Invalid, match="payload_malformed"):
            owntracks.decode(bad)
    for wrong in ({"lat": "north"}, {"lat": None}, {"tst": "soon"}, {"lon": 1e400}, {"tst": 1e300}):
        place = {"_type": "location", "lat": 28.2, "lon": 113.0, "tst": TST, **wrong}
        message = owntracks.decode(json.dumps(place).encode())
        assert message is not None
        assert (message.reading, message.fault) == (None, "malformed")


def test_osmand_query_is_in_knots_and_json_in_metres_a_second() -> None:
    slow = only(query(payloads.osmand_query("k", 113.0, 28.2, TST)))
    assert slow.speed_mps == pytest.approx(5.0, abs=1e-3)
    message = osmand.decode_json(json.dumps(payloads.traccar_json("k", 113.0, 28.2, AT.isoformat())).encode())
    assert only(message) == Reading(
        lon=113.0, lat=28.2, fixed_at=AT, accuracy_m=3.8, speed_mps=5.0, heading_deg=63, battery_pct=71
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (TST, AT),
        (TST * 1000 + 579, AT.replace(microsecond=579_000)),
        ("2026-06-01T12:00:00+08:00", AT),
        ("2026-06-01T04:00:00Z", AT),
        ("2026-06-01 04:00:00", AT),
    ],
)
def test_osmand_times(written: object, read: datetime) -> None:
    assert only(query(payloads.osmand_query("k", 113.0, 28.2, written))).fixed_at == read


def test_osmand_odds_and_ends() -> None:
    assert only(query("deviceid=k&lat=28.2&lon=113.0&heading=90&hacc=0")).heading_deg == 90
    assert only(query("id=k&lat=28.2&lon=113.0")).fixed_at == LATER, "without a time it is now"
    pair = only(query(f"id=k&timestamp={TST}&location=28.2,113.0"))
    assert (pair.lon, pair.lat) == (113.0, 28.2)
    assert query(f"id=k&timestamp={TST}&cell=460,00,16,2224&wifi=00-14-22-01-23-45,-80") == osmand.Message(
        "k"
    )
    assert query("id=k&lat=28.2&lon=113&valid=false").faults == ("not_valid",)
    assert query("id=k&lat=28.2&lon=113&valid=1").faults == ()
    assert query("id=k&lat=x&lon=113").faults == ("malformed",)
    assert query("id=k&lat=28.2&lon=113&alarm=sos").alarm == "sos"
    for nobody in ("lat=28.2&lon=113", "id=&lat=28.2&lon=113", "id=" + "x" * 201):
        with pytest.raises(Invalid, match="device_id_missing"):
            query(nobody)


def test_traccar_json_unknowns_lists_and_nonsense() -> None:
    def decode(location: object) -> osmand.Message:
        return osmand.decode_json(json.dumps({"device_id": 658765, "location": location}).encode())

    bare = only(decode(payloads.TRACCAR_IOS_UNKNOWN))
    assert (bare.speed_mps, bare.heading_deg, bare.battery_pct, bare.accuracy_m) == (None, None, None, 5)
    many = decode([payloads.TRACCAR_IOS_UNKNOWN, {"coords": {}}, "x", {"event": "heartbeat"}])
    assert (len(many.readings), many.faults, many.device_key) == (1, ("malformed", "malformed"), "658765")
    assert decode(None).faults == ()
    assert decode({**payloads.TRACCAR_IOS_UNKNOWN, "extras": {"alarm": "sos"}}).alarm == "sos"
    with pytest.raises(Invalid, match="device_id_missing"):
        osmand.decode_json(b'{"location": {}}')
    with pytest.raises(Invalid, match="payload_malformed"):
        osmand.decode_json(b"[1]")


def test_our_own_batch() -> None:
    place = {"lon": 113.0, "lat": 28.2, "fixed_at": AT.isoformat(), "accuracy_m": 8.5, "id": "q1"}
    batch = decode_phone(json.dumps({"fixes": [place]}).encode())
    assert batch.fixes[0].reading() == Reading(lon=113.0, lat=28.2, fixed_at=AT, accuracy_m=8.5)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_a_decoder(body: bytes) -> None:
    for decode in (owntracks.decode, osmand.decode_json):
        with contextlib.suppress(Invalid):
            decode(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["lat", "lon", "tst", "acc", "vel", "batt", "topic", "t"]), json_values)
)
def test_no_values_break_a_location(values: dict[str, object]) -> None:
    message = owntracks.decode(json.dumps({**values, "_type": "location"}).encode())
    assert message is not None
    assert (message.reading is None) == (message.fault is not None)


@given(json_values, json_values, json_values)
def test_no_values_break_a_json_place(timestamp: object, coords: object, battery: object) -> None:
    place = {"timestamp": timestamp, "coords": coords, "battery": battery}
    message = osmand.decode_json(json.dumps({"device_id": "k", "location": place}).encode())
    assert len(message.readings) + len(message.faults) <= 1
