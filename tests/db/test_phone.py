"""What a phone may keep and see of its own work: files to its own reports, the checklist of its job, what ended."""

from __future__ import annotations

from uuid import UUID

import pytest

from gridmap.clock import FixedClock
from gridmap.domain.actor import Actor
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from gridmap.services import patrol, plans, tasks
from gridmap.services.blobs import MAX_VOICE_BYTES, CleanPhoto, check_voice, get_file, store_file
from gridmap.services.dispatching import offers, steps
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from tests.world import World

VAULT = Vault(b"k" * 48)
# The first bytes that Chromium's recorder writes.
WEBM = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d") + bytes(200)
OGG = b"OggS\x00\x02" + bytes(22) + b"OpusHead" + bytes(100)
PHOTO = CleanPhoto(b"\xff\xd8 a picture", "image/jpeg")


def report(world: World, actor: Actor, class_key: str = "S5.02") -> UUID:
    lon, lat = world.point_in(0)
    command = TakeReport(channel="patrol", class_key=class_key, text="噪音", lon=lon, lat=lat)
    with transaction(world.database, actor, world.clock) as tx:
        return take_report(tx, command, VAULT).incident_id


def offered(world: World, operator: Actor, unit_id: UUID, class_key: str = "S5.02") -> tuple[UUID, UUID]:
    incident_id = report(world, operator, class_key)
    with transaction(world.database, operator, world.clock) as tx:
        return incident_id, offers.offer(
            tx, offers.Offer(incident_id=incident_id, unit_id=unit_id, expires_s=60)
        ).id


def go_there(world: World, officer: Actor, dispatch_id: UUID) -> None:
    for verb in (offers.accept, steps.depart, steps.arrive):
        with transaction(world.database, officer, world.clock) as tx:
            verb(tx, dispatch_id)


def test_recorders_are_known_by_their_containers() -> None:
    assert check_voice(WEBM).mime == "audio/webm"
    assert check_voice(OGG).mime == "audio/ogg"
    assert check_voice(b"\0\0\0\x1cftypiso5" + bytes(50)).mime == "audio/mp4"


@pytest.mark.parametrize("content", [b"", b"<script>", b"\xff\xd8\xff\xe0 jpeg", b"OggS" + b"\0" * 60])
def test_what_is_no_voice_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="not_a_voice_note"):
        check_voice(content)


def test_a_voice_note_has_a_limit() -> None:
    with pytest.raises(TooLarge, match="voice_too_large"):
        check_voice(WEBM + bytes(MAX_VOICE_BYTES))


def test_pictures_go_with_an_own_report_and_with_no_other(world: World, clock: FixedClock) -> None:
    officer, _unit = world.officer("paul", 0)
    other, _other_unit = world.officer("pia", 0)
    incident_id = report(world, officer)
    with transaction(world.database, officer, clock) as tx:
        blob_id = store_file(tx, PHOTO, incident_id=incident_id, purpose="report").id
    with transaction(world.database, officer, clock) as tx:
        assert get_file(tx, blob_id).content == PHOTO.content
    with pytest.raises(NotFound), transaction(world.database, other, clock) as tx:
        store_file(tx, PHOTO, incident_id=incident_id)
    with pytest.raises(NotFound), transaction(world.database, other, clock) as tx:
        get_file(tx, blob_id)
    operator = world.account("olivia", "operator", 0)
    with transaction(world.database, operator, clock) as tx:
        assert get_file(tx, blob_id).mime == "image/jpeg"


def test_the_day_lists_own_reports_and_what_ended(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    report(world, officer)
    _incident, dispatch_id = offered(world, operator, unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.decline(tx, dispatch_id, reason="too_far")
    with transaction(world.database, officer, clock) as tx:
        state = patrol.get_state(tx)
        assert [(row.class_key, bool(row.number)) for row in state.reports_today] == [("S5.02", True)]
        assert [(row.id, row.status) for row in state.ended_today] == [(dispatch_id, "declined")]


def test_a_voice_goes_with_the_result_and_is_no_photo(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id, dispatch_id = offered(world, operator, unit_id, "C1.01")
    go_there(world, officer, dispatch_id)
    with transaction(world.database, officer, clock) as tx:
        voice_id = store_file(tx, check_voice(WEBM), incident_id=incident_id).id
    for given, code in (
        ({"photo_ids": [voice_id]}, "photo_unknown"),
        ({"photo_ids": [], "voice_id": unit_id}, "voice_unknown"),
    ):
        with (
            pytest.raises((Invalid, Conflict), match=code),
            transaction(world.database, officer, clock) as tx,
        ):
            steps.report_done(tx, dispatch_id, code="not_found", note="", **given)
    with transaction(world.database, officer, clock) as tx:
        done = steps.report_done(tx, dispatch_id, code="not_found", note="", photo_ids=[], voice_id=voice_id)
        assert done.result is not None
        assert done.result["voice"] == str(voice_id)


def test_who_is_on_the_job_ticks_its_checklist(world: World, clock: FixedClock) -> None:
    with system_transaction(world.database, clock) as tx:
        plans.load_shipped(tx)
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    other, _other_unit = world.officer("pia", 0)
    incident_id, dispatch_id = offered(world, operator, unit_id)
    with transaction(world.database, operator, clock) as tx:
        plans.start_plan(tx, incident_id, plan_key="fire")
    with transaction(world.database, officer, clock) as tx:
        assert tasks.list_steps(tx, incident_id) == [], "before acceptance the checklist stays out of sight"
    go_there(world, officer, dispatch_id)
    with transaction(world.database, officer, clock) as tx:
        (job,) = patrol.get_state(tx).jobs
        first = job.steps[0].id
        tasks.finish_task(tx, first)
    with transaction(world.database, operator, clock) as tx:
        assert {row.id for row in tasks.list_steps(tx, incident_id) if row.status == "done"} == {first}
    second = job.steps[1].id
    with pytest.raises(Forbidden), transaction(world.database, officer, clock) as tx:
        tasks.cancel_task(tx, second, reason="not needed")
    with pytest.raises((NotFound, Forbidden)), transaction(world.database, other, clock) as tx:
        tasks.finish_task(tx, second)
