"""Sent, delivered, seen; who is not reached; the site's gateway; fences, borders and skipped levels."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from gridmap.adapters.messages import SIGNATURE, MessageHook
from gridmap.db.tables import Fence, Message, Notice, Share
from gridmap.domain.ids import new_id
from gridmap.domain.response import FenceRule, Place
from gridmap.errors import Conflict, Unavailable
from gridmap.positions.fence_model import FenceEvent
from gridmap.services import agreements
from gridmap.services.dispatching.delivery import send_due
from gridmap.services.dispatching.offers import mark_seen
from gridmap.services.fence_reactions import REACTIONS
from gridmap.services.transaction import system_transaction, transaction
from tests.callouts import Centre
from tests.world import World


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


class Gateway:
    """A real HTTP server that answers as told and keeps what it got."""

    def __init__(self, answers: list[int]) -> None:
        self.got: list[tuple[str | None, dict[str, Any]]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.got.append((self.headers[SIGNATURE], json.loads(body)))
                self.send_response(answers.pop(0) if answers else 200)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/send"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway([503])
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_phone_that_does_not_hear_loses_its_turn_to_the_next(centre: Centre) -> None:
    for name, grid in (("deaf", 0), ("hears", 1)):
        centre.officer(name, grid)
    incident = centre.report()
    centre.call_out(incident, offer_s=60, deliver_s=15)
    centre.work()
    assert centre.offered(incident) == ["deaf"]
    centre.wait(16)
    assert centre.offered(incident) == ["hears"]
    lost = centre.job_of("deaf", incident)
    assert (lost.status, lost.end_reason) == ("expired", "undelivered")
    assert lost.unreachable_at is not None
    assert "unreachable" in centre.events(incident)
    with transaction(centre.world.database, centre.crews["hears"][0], centre.clock) as tx:
        mark_seen(tx, [centre.job_of("hears", incident).id], delivered_only=True)
    centre.wait(16)
    heard = centre.job_of("hears", incident)
    assert (heard.status, heard.unreachable_at, heard.seen_at) == ("offered", None, None)
    assert heard.sent_at is not None
    assert heard.delivered_at is not None


def test_a_text_goes_out_signed_retried_and_without_address(centre: Centre, gateway: Gateway) -> None:
    centre.officer("deaf", 0)
    incident = centre.report(drill=True, address="Willow Lane 7", contact_phone="13800000000")
    centre.call_out(incident, offer_s=120, deliver_s=15, undelivered="sms")
    centre.work()
    centre.wait(16)
    hook = MessageHook(gateway.url, "a secret of the site")
    database, clock = centre.world.database, centre.clock
    assert send_due(database, clock, hook) == 0, "the gateway said 503"
    assert send_due(database, clock, hook) == 0, "and is left in peace for some seconds"
    clock.at += timedelta(seconds=4)
    assert send_due(database, clock, hook) == 1
    (first, body), (second, again) = gateway.got
    assert first == second == hook.sign(json.dumps(body, ensure_ascii=False, sort_keys=True).encode())
    assert body == again
    assert (body["drill"], body["unit"]["call_sign"]) == (True, "DEAF")
    words = json.dumps(body, ensure_ascii=False)
    assert "Willow" not in words
    assert "138" not in words
    assert "噪音扰民" in words
    job = centre.job_of("deaf", incident)
    assert (job.status, job.via, job.delivered_at) == ("offered", "sms", None)
    centre.accept("deaf", incident)
    assert send_due(database, clock, hook) == 0


def test_without_a_gateway_the_next_is_asked(centre: Centre) -> None:
    for name, grid in (("deaf", 0), ("hears", 1)):
        centre.officer(name, grid)
    incident = centre.report()
    centre.call_out(incident, offer_s=120, deliver_s=15, undelivered="voice")
    centre.work()
    centre.wait(16)
    assert send_due(centre.world.database, centre.clock, None) == 0
    centre.work()
    assert centre.offered(incident) == ["hears"]
    with system_transaction(centre.world.database, centre.clock) as tx:
        assert tx.session.scalars(select(Message.fault)).all() == ["no_hook"]


def test_a_command_takes_the_message_or_says_why_not(tmp_path: Path) -> None:
    out = tmp_path / "got.json"
    script = tmp_path / "send.sh"
    script.write_text(f'#!/bin/sh\ncat > {out}\necho "$GRIDMAP_SIGNATURE" >> {out}\n')
    script.chmod(0o755)
    hook = MessageHook(str(script), "s")
    hook.send({"id": "1"})
    body, signature = out.read_text().split("sha256=")
    assert signature.strip() == hook.sign(body.encode()).removeprefix("sha256=")
    for target, why in (
        ("/bin/false", "exit_1"),
        ("/nowhere/send", "not_startable"),
        ("/bin/sleep 9", "timeout"),
    ):
        with pytest.raises(Unavailable) as refused:
            MessageHook(target, timeout_s=0.5).send({"id": "1"})
        assert refused.value.params == {"why": why}
    with pytest.raises(Unavailable, match="unreachable"):
        MessageHook("http://127.0.0.1:9/send").send({"id": "1"})


def test_who_enters_the_fence_is_asked_and_who_leaves_loses_it(centre: Centre) -> None:
    centre.officer("inside", 0)
    incident = centre.report()
    callout = centre.call_out(incident, "broadcast", [Place("any", 1)], fence=FenceRule("grid"), offer_s=300)
    centre.work()
    fence_id = centre.callout(callout).fence_id
    assert fence_id is not None
    walker = centre.officer("walker", 3)

    def happens(kind: str, unit_id: UUID = walker) -> None:
        now = centre.clock.at
        event = FenceEvent(unit_id, fence_id, kind, now, new_id(), now)  # type: ignore[arg-type]
        with system_transaction(centre.world.database, centre.clock) as tx:
            for reaction in REACTIONS:
                reaction(tx, [event])

    assert centre.offered(incident) == ["inside"]
    happens("enter")
    assert centre.offered(incident) == ["inside", "walker"]
    happens("enter")
    assert len(centre.jobs(incident)) == 2, "asked once"
    happens("exit")
    assert centre.offered(incident) == ["inside"]
    assert centre.job_of("walker", incident).end_reason == "left_fence"
    with pytest.raises(Conflict, match="offer_withdrawn"):
        centre.accept("walker", incident)
    happens("enter")
    assert centre.offered(incident) == ["inside", "walker"], "back again"
    centre.accept("walker", incident)
    happens("exit")
    assert centre.job_of("walker", incident).status == "accepted", "who took the job keeps it"
    centre.work()
    happens("enter", centre.officer("late", 0))
    assert centre.offered(incident) == []
    with system_transaction(centre.world.database, centre.clock) as tx:
        assert tx.session.get_one(Fence, fence_id).archived_at is not None


def test_help_from_across_the_border_only_by_agreement(centre: Centre) -> None:
    centre.officer("stranger", 0, county=1)
    lead = centre.world.account("leo", "shift_lead", 0)
    incident = centre.report(grid=3)
    callout = centre.call_out(incident, level_s=3_000, mutual_aid=True, flat=True)
    centre.work()
    assert centre.offered(incident) == []
    assert len(centre.alarms("callout_unmet")) == 1
    with transaction(centre.world.database, lead, centre.clock) as tx:
        home, other = centre.world.county_ids
        agreements.agree(tx, lender_area_id=other, borrower_area_id=home, unit_kinds=("grid_worker",))
    centre.wait(16)
    assert centre.offered(incident) == ["stranger"]
    neighbour = centre.world.account("nora", "operator", 1)
    centre.accept("stranger", incident)
    centre.work()
    assert centre.callout(callout).status == "met"
    with transaction(centre.world.database, neighbour, centre.clock) as tx:
        notices = tx.session.scalars(select(Notice)).all()
        assert {notice.reason for notice in notices} == {"mutual_aid", "flat_command"}
    with system_transaction(centre.world.database, centre.clock) as tx:
        shares = tx.session.scalars(select(Share.reason).where(Share.area_path.is_not(None))).all()
        assert shares == ["mutual_aid"]
    copies = centre.job_of("stranger", incident).copies
    assert [copy["level"] for copy in copies] == ["county", "township", "community"]
    assert {"copied", "mutual_aid"} <= set(centre.events(incident))
