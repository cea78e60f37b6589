"""Watching over who is out: steps that take too long, and officers who fall silent, stand still or are alone.

A question goes to the officer first; only one that stays unanswered reaches the operator. Questions and their alarms
say nothing about how anybody works: they are on no timeline, in no figure, and gone after a day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text

from gridmap.db.tables import Alarm, Dispatch, Incident, Unit, WelfareQuestion
from gridmap.domain.ids import new_id
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, NotFound
from gridmap.services.alarms import raise_about
from gridmap.services.dispatching.clocks import clock_of, wind
from gridmap.services.dispatching.help import ask_for_help
from gridmap.services.dispatching.rows import lock_dispatch, tell_dispatch
from gridmap.services.incidents import touch
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

QUESTION_DUE = "welfare.unanswered"
QUESTIONS_KEPT = timedelta(hours=24)
# After an answer the same officer is left in peace for a while, whatever the positions say.
ASKED_AGAIN_AFTER = timedelta(minutes=10)
SILENCE = "silence"


def step_due(tx: Tx, dispatch_id: UUID) -> None:
    """The step takes longer than its class of urgency allows: first a warning, then an alarm."""
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        return
    incident, dispatch = lock_dispatch(tx, dispatch)
    clock = clock_of(dispatch, incident.severity)
    if clock is None or tx.now < clock.warn_at:
        wind(tx, dispatch, incident.severity)
        return
    unit = tx.session.get_one(Unit, dispatch.unit_id)
    late = tx.now >= clock.alarm_at
    touch(
        tx,
        incident,
        "clock_overdue" if late else "clock_warned",
        call_sign=unit.call_sign,
        dispatch_id=str(dispatch.id),
        step=clock.step,
        after_s=round((tx.now - clock.since).total_seconds()),
    )
    tell_dispatch(tx, dispatch, incident)
    if not late:
        wind(tx, dispatch, incident.severity)
        return
    raise_about(
        tx,
        incident,
        "step_overdue",
        subject_kind="dispatch",
        subject_id=dispatch.id,
        call_sign=unit.call_sign,
        step=clock.step,
        due_at=clock.alarm_at.isoformat(),
    )


_OUT = text(
    """
    select d.id as dispatch_id, d.unit_id, d.incident_id, d.status, d.arrival_proposed_at is not null as near,
           i.severity, i.class_key, u.crew_size,
           extract(epoch from :now - greatest(l.received_at, d.en_route_at, d.accepted_at)) as unheard_s,
           extract(epoch from :now - d.en_route_at) as on_the_way_s,
           extract(epoch from :now - d.on_scene_at) as on_scene_s,
           q.last_asked_at,
           (select count(*) from dispatch o join unit ou on ou.id = o.unit_id
             where o.incident_id = d.incident_id and o.status = 'on_scene' and o.id <> d.id) as others_there
    from dispatch d join incident i on i.id = d.incident_id join unit u on u.id = d.unit_id
    left join unit_latest l on l.unit_id = d.unit_id
    left join lateral (select max(greatest(w.asked_at, w.answered_at, w.unanswered_at)) as last_asked_at
                       from welfare_question w where w.dispatch_id = d.id) q on true
    where d.status in ('en_route', 'on_scene')
      and not exists (select from welfare_question w
                      where w.dispatch_id = d.id and w.answered_at is null and w.unanswered_at is null)
    order by d.id
    """
)
_SPREAD = text(
    """
    select st_distance(
             st_setsrid(st_makepoint(st_xmin(e.box), st_ymin(e.box)), 4326)::geography,
             st_setsrid(st_makepoint(st_xmax(e.box), st_ymax(e.box)), 4326)::geography) as spread_m,
           extract(epoch from e.until - e.since) as seen_s
    from (select st_extent(geom) as box, min(fixed_at) as since, max(fixed_at) as until
          from dispatch_leg where dispatch_id = :dispatch and fixed_at >= :since) e
    where e.since is not null
    """
)


def look_after(tx: Tx) -> int:
    """Ask whoever is out and gives reason to; run by the worker every few seconds. Returns how many were asked."""
    asked = 0
    for row in tx.session.execute(_OUT, {"now": tx.now}).all():
        rules = vocabulary().term("step_clock", str(row.severity)).extra
        kind = _reason_to_ask(tx, row, rules)
        if kind is not None:
            asked += _ask(tx, row.dispatch_id, kind, float(rules["answer_s"]))
    return asked


def _reason_to_ask(tx: Tx, row: Any, rules: Any) -> str | None:
    if row.status == "on_scene":
        alone = row.crew_size == 1 and row.others_there == 0
        if not alone or not is_dangerous(row.class_key):
            return None
        since_s = row.on_scene_s
        if row.last_asked_at is not None:
            since_s = min(since_s, (tx.now - row.last_asked_at).total_seconds())
        return "alone" if since_s >= rules["alone_every_s"] else None
    if row.last_asked_at is not None and tx.now - row.last_asked_at < ASKED_AGAIN_AFTER:
        return None
    if row.unheard_s is not None and row.unheard_s >= rules["silent_s"]:
        return "silent"
    if row.near or row.on_the_way_s < rules["still_s"]:
        return None
    since = tx.now - timedelta(seconds=rules["still_s"])
    seen = tx.session.execute(_SPREAD, {"dispatch": row.dispatch_id, "since": since}).first()
    # Two fixes at either end of a red light prove nothing: most of the span must have been seen.
    if seen is None or seen.seen_s < 0.7 * rules["still_s"] or seen.spread_m > rules["still_m"]:
        return None
    return "still"


def is_dangerous(class_key: str) -> bool:
    """A class to which nobody should go alone."""
    return not vocabulary().event_class(class_key).lone_ok


def _ask(tx: Tx, dispatch_id: UUID, kind: str, answer_s: float) -> int:
    incident, dispatch = lock_dispatch(tx, tx.session.get_one(Dispatch, dispatch_id))
    if dispatch.status not in ("en_route", "on_scene"):
        return 0
    question = WelfareQuestion(
        id=new_id(),
        unit_id=dispatch.unit_id,
        dispatch_id=dispatch.id,
        kind=kind,
        asked_at=tx.now,
        answer_by=tx.now + timedelta(seconds=answer_s),
    )
    tx.session.add(question)
    tx.session.flush()
    set_timer(tx, QUESTION_DUE, question.id, question.answer_by)
    tell_dispatch(tx, dispatch, incident)
    return 1


def find_question(tx: Tx, unit_id: UUID) -> WelfareQuestion | None:
    """What the phone has to show: the question that waits, also past its time."""
    return tx.session.scalars(
        select(WelfareQuestion)
        .join(Dispatch, Dispatch.id == WelfareQuestion.dispatch_id)
        .where(
            WelfareQuestion.unit_id == unit_id,
            WelfareQuestion.answered_at.is_(None),
            Dispatch.status.in_(("en_route", "on_scene")),
        )
        .order_by(WelfareQuestion.asked_at.desc())
        .limit(1)
    ).first()


def answer(tx: Tx, question_id: UUID, said: str) -> WelfareQuestion:
    """`ok` ends it; `help` raises the alarm at once. Raises NotFound, Conflict("question_answered")."""
    tx.actor.require("job.work")
    question = tx.session.scalars(
        select(WelfareQuestion).where(WelfareQuestion.id == question_id).with_for_update(key_share=True)
    ).first()
    if question is None:
        raise NotFound("question_not_found")
    if question.answered_at is not None:
        raise Conflict("question_answered")
    question.answered_at, question.answer = tx.now, said
    clear_timer(tx, QUESTION_DUE, question.id)
    tx.session.flush()
    if said == "help":
        ask_for_help(tx, question.dispatch_id, note=None)
    return question


def unanswered(tx: Tx, question_id: UUID) -> None:
    """No answer in time: the operator hears it."""
    question = tx.session.get(WelfareQuestion, question_id)
    if question is None or question.answered_at is not None:
        return
    dispatch = tx.session.get_one(Dispatch, question.dispatch_id)
    incident = tx.session.get_one(Incident, dispatch.incident_id)
    unit = tx.session.get_one(Unit, question.unit_id)
    question.unanswered_at = tx.now
    if dispatch.status not in ("en_route", "on_scene"):
        return
    raise_about(
        tx,
        incident,
        SILENCE,
        severity=1 if question.kind == "alone" else min(2, incident.severity),
        subject_kind="unit",
        subject_id=unit.id,
        call_sign=unit.call_sign,
        why=question.kind,
    )


def forget_old(tx: Tx) -> None:
    """After a day neither question nor alarm is kept: this is no record of anybody's work."""
    before = tx.now - QUESTIONS_KEPT
    tx.session.execute(delete(WelfareQuestion).where(WelfareQuestion.asked_at < before))
    tx.session.execute(delete(Alarm).where(Alarm.kind == SILENCE, Alarm.raised_at < before))
