"""The little theatre of the engine's examples: a form is sent, an agent works, and one looks at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import operations as territory
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Audience, CaseNotFound, Requester, Upload
from beffroi.serve.cases.operations import Opened, PreparedFile
from beffroi.serve.procedures import calls, desk, intake, passages, personal, queries, register
from beffroi.serve.procedures.definition import OpenProcedure
from beffroi.serve.procedures.models import Call, Card, Need, Passage, Request
from beffroi.serve.procedures.opened import as_open
from beffroi.serve.procedures.waiting import rank_of

TOWN = "00000"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
# The smallest file that is a document, for what an example joins.
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class BadExample(BeffroiError):
    """An example asks for something this engine does not do."""


@dataclass(slots=True)
class Scene:
    """An example under way: what was sent, by whom it is treated, at what time we are."""

    chosen: OpenProcedure
    when: Mapping[str, Any]
    agent: Viewer
    opened: Opened
    at: datetime = START
    seen: dict[str, Any] = field(default_factory=dict)

    def later(self, hours: int = 1) -> datetime:
        """Let time pass and return the new instant."""
        self.at += timedelta(hours=hours)
        return self.at


def live_scene(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Send the form of an example, do what it says, and return what came of it.

    Raises:
        BadExample: an act it names does not exist.
    """
    chosen = as_open(use_case)
    if chosen is None:
        raise BadExample("ce fichier ne décrit pas de démarche", where=use_case.source, remedy="ajoutez [procedures]")
    if not any(one.code == TOWN for one in territory_queries.communes()):
        territory.add_commune(code=TOWN, name="Commune d’exemple", at=START, fictional=True)
    when = example.when
    files = [prepared(code) for code in when.get("files", ())]
    requester = Requester(name="Camille Exemple", email="exemple@compte.invalid")
    for earlier in when.get("before", ()):
        intake.file_in(chosen, territory=TOWN, answers=dict(earlier), requester=requester, at=START)
    opened = intake.file_in(
        chosen, territory=TOWN, answers=dict(when.get("answers", {})), requester=requester, at=START, files=files,
        idempotency_key="exemple-0001",
    )  # fmt: skip
    agent = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({chosen.procedure.service})),))
    scene = Scene(chosen, when, agent, opened)
    for act in when.get("does", ()):
        name, _, argument = str(act).partition(":")
        if name not in ACTS:
            raise BadExample(
                "exemple {number} : acte « {act} » inconnu", where=use_case.source, remedy="choisissez parmi {known}",
                number=example.number, act=str(act)[:40], known=", ".join(sorted(ACTS)),
            )  # fmt: skip
        ACTS[name](scene, argument)
    return outcome_of(scene)


def prepared(code: str, name: str = "piece.pdf") -> PreparedFile:
    """Return a document of our own making, joined in answer to a question."""
    (file,) = cases.prepare_files([Upload(name, _PDF, Audience.PARTIES, code)], documents=True)
    return file


# --- Acts -------------------------------------------------------------------------------------------------------------


def _again(scene: Scene, _argument: str) -> None:
    known = cases.already_sent(TOWN, "exemple-0001", kind=queries.KIND, category=scene.chosen.use_case)
    scene.seen["sent_once"] = known is not None and known.token == scene.opened.token and not known.created


def _accept(scene: Scene, _argument: str) -> None:
    cases.accept_case(number=scene.opened.number, by=scene.agent, at=scene.later(), publish=False)


def _ask(scene: Scene, code: str) -> None:
    label = "" if code != desk.OTHER_PIECE else "Un justificatif"
    desk.ask_piece(number=scene.opened.number, code=code, label=label, by=scene.agent, at=scene.later())


def _supply(scene: Scene, days: str) -> None:
    info, _ = queries.followed_request(scene.opened.token)
    for piece in info.awaited_pieces:
        desk.supply_piece(
            number=info.number, piece=piece.id, files=[prepared(piece.code)], viewer=ANONYMOUS,
            token=scene.opened.token, at=scene.later(24 * int(days or 0) or 1),
        )  # fmt: skip


def _schedule(scene: Scene, days: str) -> None:
    day = (scene.later() + timedelta(days=int(days or 3))).date()
    cases.schedule_case(number=scene.opened.number, day=day, by=scene.agent, at=scene.at)


def _edit(scene: Scene, _argument: str) -> None:
    edits = dict(scene.when.get("edits", {}))
    desk.edit_answers(
        number=scene.opened.number, answers=edits, reason="D’après votre appel.", by=scene.agent, at=scene.later()
    )


def _note(scene: Scene, _argument: str) -> None:
    findings = dict(scene.when.get("findings", {}))
    desk.record_findings(number=scene.opened.number, findings=findings, by=scene.agent, at=scene.later())


def _decide(scene: Scene, decision: str) -> None:
    reason = str(scene.when.get("reason", ""))
    scene.seen["certificate"] = "none"
    code = desk.decide(number=scene.opened.number, decision=decision, reason=reason, by=scene.agent, at=scene.later())
    if code:
        known = queries.certificate(code, territory=TOWN)
        scene.seen["certificate"] = "valid" if queries.seal_holds(known) and known.is_valid(scene.at.date()) else "bad"
        scene.seen["valid_until"] = known.valid_until


def _withdraw(scene: Scene, _argument: str) -> None:
    cases.withdraw_case(
        number=scene.opened.number, reason="Je n’en ai plus besoin.", viewer=ANONYMOUS, token=scene.opened.token,
        at=scene.later(),
    )  # fmt: skip


def _pass(scene: Scene, seen: str) -> None:
    at = scene.later()
    passages.note_passage(number=scene.opened.number, seen=seen, note="Vu de la rue.", by=scene.agent, at=at)


def _night(scene: Scene, days: str) -> None:
    at = scene.later(24 * int(days))
    sum(personal.expire(at, at=at))


def _card(scene: Scene) -> Card:
    return Card.objects.filter(request__case=case_queries.case_id_of(scene.opened.number)).order_by("pk")[0]


def _round(scene: Scene, _argument: str) -> None:
    scene.seen["_round"] = calls.open_round(
        use_case=scene.chosen.use_case, reason="Vigilance orange", by=scene.agent, territory=TOWN, at=scene.later()
    )


def _call(scene: Scene, argument: str) -> None:
    outcome, _, need = argument.partition(":")
    calls.note_call(
        round_id=scene.seen["_round"], card_id=_card(scene).pk, outcome=outcome, need=need, by=scene.agent,
        territory=TOWN, at=scene.later(),
    )  # fmt: skip


def _want(scene: Scene, kind: str) -> None:
    calls.ask_need(
        number=scene.opened.number, card_id=_card(scene).pk, kind=kind, viewer=ANONYMOUS, token=scene.opened.token,
        at=scene.later(),
    )  # fmt: skip


def _need(scene: Scene, state: str) -> None:
    for row in Need.objects.filter(card=_card(scene)):
        calls.move_need(need_id=row.pk, done=state == "done", by=scene.agent, territory=TOWN, at=scene.later())


def _agree(scene: Scene, _argument: str) -> None:
    how = "De vive voix"
    register.confirm(card_id=_card(scene).pk, how=how, by=scene.agent, territory=TOWN, at=scene.later())


def _help(scene: Scene, _argument: str) -> None:
    helper = "Sacha Exemple"
    register.match_helper(card_id=_card(scene).pk, helper=helper, by=scene.agent, territory=TOWN, at=scene.later())


def _leave(scene: Scene, _argument: str) -> None:
    register.leave_register(
        number=scene.opened.number, card_id=_card(scene).pk, viewer=ANONYMOUS, token=scene.opened.token,
        at=scene.later(),
    )  # fmt: skip


ACTS: Mapping[str, Callable[[Scene, str], None]] = {
    "again": _again,
    "accept": _accept,
    "ask": _ask,
    "supply": _supply,
    "schedule": _schedule,
    "edit": _edit,
    "note": _note,
    "decide": _decide,
    "pass": _pass,
    "round": _round,
    "call": _call,
    "want": _want,
    "need": _need,
    "agree": _agree,
    "help": _help,
    "leave": _leave,
    "night": _night,
    "withdraw": _withdraw,
}


# --- What came of it --------------------------------------------------------------------------------------------------


def outcome_of(scene: Scene) -> dict[str, Any]:
    """Return what can be compared at the end."""
    info, _ = queries.followed_request(scene.opened.token)
    case, zone = info.case, clock.timezone_of(TOWN)
    history = case_queries.thread(ANONYMOUS, info.number, token=scene.opened.token)
    silence, rank = queries.silence(info, scene.at), rank_of(info, scene.at)
    files = case_queries.attachments(ANONYMOUS, info.number, token=scene.opened.token)
    other = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({"autre-service"})),))
    return {
        "status": case.status.value,
        "outcome": case.outcome.value if case.outcome else "",
        "service": case.service,
        # The last day is the one before the instant it is too late.
        "due_on": None if case.due_at is None else (case.due_at.astimezone(zone) - timedelta(seconds=1)).date(),
        "silence": silence.means if silence else "none",
        "silence_on": silence.day if silence else None,
        "proposal": info.proposal,
        "fees": {one.label: one.cents for one in info.fees},
        "basis": [one.basis for one in info.fees],
        "rank": (rank.rank or 0) if rank else 0,
        "answers": dict(info.answers),
        "pieces": len([one for one in files if one.mine]),
        "documents": len([one for one in files if one.from_service]),
        "awaited": len(info.awaited_pieces),
        "history": [one.what for one in history],
        "told": case.answer,
        "appeal": "Voies et délais de recours" in case.answer,
        "other_service": _sees(other, info.number),
        "everyone": _sees(ANONYMOUS, info.number),
        "passages": _passages(info.case.id),
        **_register(info.case.id),
        "in_clear": bool(Request.objects.get(pk=info.case.id).answers),
        "conflicts": [one.code for one in queries.conflicts_of(info, scene.at)],
    } | scene.seen


def _register(case_id: int) -> dict[str, Any]:
    """Return the cards of a request with what was done for each, and whether its party is named in clear."""
    cards = Card.objects.filter(request=case_id).order_by("pk")
    needs = Need.objects.filter(card__in=cards).order_by("pk")
    parties = case_queries.told_parties(case_id)
    return {
        "cards": ["helped" if one.helper else "agreed" if one.confirmed_at else "awaited" for one in cards],
        "calls": list(Call.objects.filter(card__in=cards).order_by("pk").values_list("outcome", flat=True)),
        "needs": ["done" if one.done_at else "taken" if one.taken_at else "asked" for one in needs],
        "named": any("Exemple" in f"{one.name} {one.email}".title() for one in parties),
    }


def _passages(case_id: int) -> list[str]:
    """Return what each passage saw, the last first."""
    return list(Passage.objects.filter(request=case_id).order_by("-at").values_list("seen", flat=True))


def _sees(viewer: Viewer, number: str) -> bool:
    try:
        queries.request(viewer, number)
    except CaseNotFound:
        return False
    return True
