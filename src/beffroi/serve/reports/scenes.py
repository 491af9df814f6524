"""The little theatre of the engine's examples: a report is sent, people act, and one looks at the end."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image, ImageDraw

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import CaseNotFound, Outcome, Requester, Upload
from beffroi.serve.cases.operations import Opened
from beffroi.serve.reports import likeness, matching, obstacles, orders, queries, triage
from beffroi.serve.reports.abuse import sender_of
from beffroi.serve.reports.categories import ENGINE, OpenCategory, ReportsSettings
from beffroi.serve.reports.intake import Submission, file_in
from beffroi.serve.reports.models import Report
from beffroi.serve.reports.places import Place

TOWN = "00000"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_LON, _LAT = 3.8767, 43.6108


class BadExample(BeffroiError):
    """An example asks for something this engine does not do."""


@dataclass(slots=True)
class Scene:
    """An example under way: what was opened, at what time we are, what was seen on the way."""

    chosen: OpenCategory
    submission: Submission
    requester: Requester
    sender: Viewer
    agent: Viewer
    opened: Opened
    at: datetime = START
    others: Mapping[str, OpenCategory] = field(default_factory=dict)
    twin: Opened | None = None
    order: int = 0
    seen: dict[str, Any] = field(default_factory=dict)

    def later(self, hours: int = 1) -> datetime:
        """Let time pass and return the new instant."""
        self.at += timedelta(hours=hours)
        return self.at


def live_scene(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """File the report of an example, do what it says, and return what came of it.

    Raises:
        BadExample: a category or an act it names does not exist.
    """
    scene = _opened(use_case, example)
    for act in example.when.get("does", ()):
        if act not in ACTS:
            raise BadExample(
                "exemple {number} : acte « {act} » inconnu",
                where=use_case.source,
                remedy="choisissez parmi {known}",
                number=example.number,
                act=str(act)[:40],
                known=", ".join(sorted(ACTS)),
            )
        ACTS[act](scene)
    return outcome_of(scene)


def _opened(use_case: UseCase, example: Example) -> Scene:
    settings: ReportsSettings = use_case.settings[ENGINE]
    when = example.when
    wanted = when.get("category", settings.category[0].code if settings.category else "")
    category = next((one for one in settings.category if one.code == wanted), None)
    if category is None:
        raise BadExample(
            "exemple {number} : catégorie « {code} » absente de ce fichier",
            where=use_case.source,
            remedy="nommez une de ses catégories",
            number=example.number,
            code=str(wanted)[:60],
        )
    agent = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({category.service})),))
    sender = agent if when.get("by") == "agent" else ANONYMOUS
    submission = Submission(
        category=category.code,
        lon=_LON,
        lat=_LAT,
        description=str(when.get("text", "")),
        address="1 place du Beffroi",
        details=dict(when.get("details", {})),
        zone=_square() if when.get("zone") else "",
        lasting=bool(when.get("lasting", False)),
        photos=(Upload("photo.jpg", drawn_photo("exemple")),) if when.get("photo") else (),
        idempotency_key="exemple-0001",
    )
    requester = Requester(email="exemple@compte.invalid" if when.get("email", True) else "")
    chosen = OpenCategory(use_case.id, category)
    opened = file_in(chosen, territory=TOWN, submission=submission, requester=requester, viewer=sender, at=START)
    others = {one.code: OpenCategory(use_case.id, one) for one in settings.category}
    return Scene(chosen, submission, requester, sender, agent, opened, others=others)


def _square() -> str:
    half = 0.0005
    ring = [
        (_LON - half, _LAT - half),
        (_LON + half, _LAT - half),
        (_LON + half, _LAT + half),
        (_LON - half, _LAT + half),
    ]
    return json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})


def drawn_photo(words: str, *, colour: str = "#5b7f95") -> bytes:
    """Return a small JPEG of our own making, which shows `words`."""
    picture = Image.new("RGB", (320, 240), colour)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 160, 300, 220), fill="#3c4a3e")
    draw.text((30, 30), words, fill="white")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


# --- Acts -------------------------------------------------------------------------------------------------------------


def _again(scene: Scene) -> None:
    again = file_in(
        scene.chosen,
        territory=TOWN,
        submission=scene.submission,
        requester=scene.requester,
        viewer=scene.sender,
        at=scene.later(),
    )
    scene.seen["sent_once"] = (again.number, again.token, again.created) == (
        scene.opened.number,
        scene.opened.token,
        False,
    )


def _twin(scene: Scene) -> None:
    category, sub = scene.chosen.category, scene.submission
    sought = likeness.Sought(category, Place(_LON + 0.0001, _LAT), sub.description, "", "", scene.later())
    readable = case_queries.readable(ANONYMOUS, TOWN, prefix="case__")
    found = likeness.likenesses(sought, territory=TOWN, readable=readable, categories=(scene.chosen,))
    scene.seen["duplicates"] = len(found)
    twin = Submission(category.code, _LON + 0.0001, _LAT, sub.description, details=sub.details, photos=sub.photos)
    neighbour = Requester(email="voisine@compte.invalid")
    scene.twin = file_in(
        scene.chosen, territory=TOWN, submission=twin, requester=neighbour, viewer=ANONYMOUS, at=scene.at
    )


def _merge(scene: Scene) -> None:
    if scene.twin is None:
        raise BadExample("« merge » sans « twin »", remedy="écrivez twin avant merge")
    triage.merge_reports(number=scene.twin.number, into=scene.opened.number, by=scene.agent, at=scene.later())


def _accept(scene: Scene) -> None:
    cases.accept_case(number=scene.opened.number, by=scene.agent, at=scene.later())


def _ask(scene: Scene) -> None:
    cases.write_to_parties(
        number=scene.opened.number, text="Est-ce toujours là ?", by=scene.agent, at=scene.later(), ask=True
    )


def _answer(scene: Scene) -> None:
    cases.write_to_service(
        number=scene.opened.number, text="Oui.", viewer=ANONYMOUS, token=scene.opened.token, at=scene.later()
    )


def _schedule(scene: Scene) -> None:
    day = (scene.later() + timedelta(days=1)).date()
    cases.schedule_case(number=scene.opened.number, day=day, by=scene.agent, at=scene.at)


def _close(scene: Scene, outcome: Outcome = Outcome.DONE) -> None:
    triage.close_report(
        number=scene.opened.number,
        outcome=outcome,
        reason="Le service est passé.",
        by=scene.agent,
        at=scene.later(),
        photos=(Upload("apres.jpg", drawn_photo("après", colour="#7d9a6c")),),
    )


def _refuse(scene: Scene) -> None:
    _close(scene, Outcome.REFUSED)


def _reopen(scene: Scene) -> None:
    cases.reopen_case(
        number=scene.opened.number,
        reason="C’est revenu.",
        viewer=ANONYMOUS,
        token=scene.opened.token,
        at=scene.later(),
    )


def _hold(scene: Scene) -> None:
    cases.hold_case(number=scene.opened.number, by=scene.agent, at=scene.later())


def _release(scene: Scene) -> None:
    cases.release_case(number=scene.opened.number, by=scene.agent, at=scene.later())


def _says(scene: Scene, device: str, *, still_there: bool) -> None:
    sender = sender_of(device=device, address="192.0.2.1", at=scene.later())
    state = obstacles.confirm_obstacle(
        number=scene.opened.number, still_there=still_there, viewer=ANONYMOUS, at=scene.at, sender=sender
    )
    scene.seen |= {"still_there": state.still_there, "gone": state.gone}


def _confirm(scene: Scene) -> None:
    _says(scene, "passante", still_there=True)


def _gone(scene: Scene) -> None:
    _says(scene, f"passant-{scene.at.hour}", still_there=False)


def _counterpart(scene: Scene) -> None:
    """Another person sends the report that answers this one, half a kilometre away, two days later."""
    rule = scene.chosen.category.matching
    if rule is None:
        raise BadExample("« counterpart » sans « matching »", remedy="nommez une catégorie qui a sa contrepartie")
    other = scene.others[rule.counterpart]
    scene.later(48)
    sub = replace(scene.submission, category=rule.counterpart, lon=_LON + 0.006, idempotency_key="exemple-0002")
    wanted = {one.code for one in other.category.field}
    sub = replace(sub, details={code: value for code, value in sub.details.items() if code in wanted})
    requester = Requester(email="voisine@compte.invalid", phone="06 00 00 00 00")
    scene.twin = file_in(other, territory=TOWN, submission=sub, requester=requester, viewer=ANONYMOUS, at=scene.at)
    matching.match_report(Report.objects.select_related("case").get(pk=scene.twin.case_id), at=scene.at)
    texts = [
        " ".join(entry.text for entry in case_queries.thread(ANONYMOUS, opened.number, token=opened.token))
        for opened in (scene.opened, scene.twin)
    ]
    scene.seen["both_told"] = scene.twin.number in texts[0] and scene.opened.number in texts[1]
    scene.seen["contacts_told"] = any("invalid" in text or "06 00" in text for text in texts)


def _order(scene: Scene) -> None:
    day = (scene.later() + timedelta(days=1)).date()
    scene.order = orders.order_work(
        number=scene.opened.number, title="Intervenir", by=scene.agent, at=scene.at, crew="Équipe 1", planned_on=day
    )


def _finish(scene: Scene) -> None:
    done = orders.finish_work(
        order_id=scene.order,
        by=scene.agent,
        at=scene.later(20),
        minutes=90,
        cost_cents=12_550,
        text="Réparé.",
        photos=(Upload("apres.jpg", drawn_photo("après", colour="#7d9a6c")),),
    )
    scene.seen |= {"order": done.state, "minutes": done.minutes, "cost_cents": done.cost_cents}


ACTS: Mapping[str, Callable[[Scene], None]] = {
    "again": _again,
    "twin": _twin,
    "merge": _merge,
    "accept": _accept,
    "ask": _ask,
    "answer": _answer,
    "schedule": _schedule,
    "close": _close,
    "refuse": _refuse,
    "reopen": _reopen,
    "confirm": _confirm,
    "gone": _gone,
    "counterpart": _counterpart,
    "order": _order,
    "finish": _finish,
    "hold": _hold,
    "release": _release,
}


# --- What came of it --------------------------------------------------------------------------------------------------


def outcome_of(scene: Scene) -> dict[str, Any]:
    """Return what everyone sees at the end."""
    number = scene.opened.number
    info = queries.report(scene.agent, number)
    other = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({"autre-service"})),))
    neighbour = Viewer(None, (Grant("00009", Role.AGENT, frozenset({info.case.service})),))
    history = case_queries.thread(ANONYMOUS, number, token=scene.opened.token)
    seen_by_all = _seen(ANONYMOUS, number)
    found: dict[str, Any] = {
        "status": info.case.status.value,
        "outcome": info.case.outcome.value if info.case.outcome else "",
        "service": info.case.service,
        "public": seen_by_all is not None,
        "listed": any(one.number == number for one in queries.public_reports(TOWN, at=scene.at).items),
        "words_shown": bool(seen_by_all and seen_by_all.case.description),
        "private_shown": bool(seen_by_all and seen_by_all.private_details),
        "private": dict(info.private_details),
        "details": dict(info.details),
        "other_service": _seen(other, number) is not None,
        "other_town": _seen(neighbour, number) is not None,
        "author": _seen(ANONYMOUS, number, scene.opened.token) is not None,
        "due_h": _due_h(info),
        "photos": len(info.photos),
        "zone": bool(info.zone),
        "reporters": info.reporters,
        "history": [entry.what for entry in history],
    }
    if scene.twin is not None:
        twin, _ = queries.followed_report(scene.twin.token)
        found["twin_status"] = twin.case.status.value
        found["twin_answer"] = twin.case.answer
        found["twin_photos"] = len(twin.photos)
    return found | scene.seen


def _seen(viewer: Viewer, number: str, token: str = "") -> queries.ReportInfo | None:
    try:
        return queries.report(viewer, number, token=token)
    except CaseNotFound:
        return None


def _due_h(info: queries.ReportInfo) -> float | None:
    due = info.case.due_at
    return None if due is None else round((due - info.case.opened_at).total_seconds() / 3600, 1)
