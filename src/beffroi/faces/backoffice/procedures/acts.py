"""What an agent may do to one request: each act with the form it asks for, where it may be done, what it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.backoffice.case_acts import (
    WORDS,
    Act,
    ActForm,
    AssignForm,
    Before,
    NoteForm,
    ReasonForm,
    RouteForm,
    assign,
    plain,
    reopen,
)
from beffroi.faces.shell.procedures import corners_of, field_of, located, told, typed_zone
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import OPEN, Status
from beffroi.serve.procedures import operations, queries
from beffroi.serve.procedures.answers import checked_answer
from beffroi.serve.procedures.declaration import Decision, Procedure, Question
from beffroi.serve.procedures.queries import RequestInfo


class Asked(Before):
    """One request before one agent, at one moment."""

    info: RequestInfo

    @property
    def procedure(self) -> Procedure | None:
        """Return its procedure, None when no file describes it any more."""
        return self.info.procedure


class AcceptForm(ActForm):
    text = forms.CharField(
        label=gettext_lazy("Mot pour l’habitant"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class PlanForm(ActForm):
    day = forms.DateField(label=gettext_lazy("Jour"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    text = forms.CharField(label=gettext_lazy("Mot pour l’habitant"), required=False, max_length=1000)


class MessageForm(ActForm):
    text = forms.CharField(label=gettext_lazy("Message"), widget=WORDS, max_length=4000)
    ask = forms.BooleanField(label=gettext_lazy("C’est une question : la demande attend la réponse"), required=False)


class OfferForm(ActForm):
    what = forms.CharField(
        label=gettext_lazy("La place proposée"),
        help_text=gettext_lazy("Le lieu et le numéro. La liste va dans l’ordre : la première demande d’abord."),
        max_length=200,
    )


class WithdrawForm(ActForm):
    reason = forms.CharField(label=gettext_lazy("Motif"), max_length=300)


class PieceForm(ActForm):
    """Which document is missing, and until when it may be brought."""

    code = forms.ChoiceField(label=gettext_lazy("Pièce"), widget=forms.RadioSelect)
    label = forms.CharField(label=gettext_lazy("Autre pièce : laquelle ?"), required=False, max_length=200)
    until = forms.DateField(
        label=gettext_lazy("À apporter au plus tard le"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Jusque-là, le délai au terme duquel le silence vaut décision est arrêté."),
    )
    text = forms.CharField(label=gettext_lazy("Mot pour l’habitant"), required=False, max_length=1000)

    def offer(self) -> None:
        known = self.asked.procedure.documents if self.asked.procedure else []
        self.choose(
            "code", [*((one.code, _(one.label)) for one in known), (operations.OTHER_PIECE, _("Une autre pièce"))]
        )
        self.fields["code"].initial = known[0].code if known else operations.OTHER_PIECE
        self.fields["until"].initial = timezone.localdate(self.asked.at) + timedelta(days=15)


class AnsweringForm(ActForm):
    """A form whose fields are questions of the procedure; the room judges each answer."""

    def questions(self) -> list[Question]:
        """Return the questions asked, and fill `initial` with what is known."""
        return []

    def offer(self) -> None:
        for question in self.questions():
            # An agent writes an address as it is told to her: it is looked for afterwards.
            as_text = question.model_copy(update={"type": "text"}) if question.type == "address" else question
            field = field_of(as_text)
            field.required = False
            self.fields[question.code] = field
        self.order_fields([*(one.code for one in self.questions()), "reason"])

    def clean(self) -> dict[str, Any]:
        """Have the room judge what was typed."""
        values: dict[str, Any] = super().clean() or {}
        for question in self.questions():
            if values.get(question.code) in (None, ""):
                continue
            try:
                values[question.code] = self.judged(question, values[question.code])
            except BeffroiError as error:
                self.add_error(question.code, told(error))
        return values

    def judged(self, question: Question, value: Any) -> Any:
        """Return an answer of its type."""
        return checked_answer(question, value, today=timezone.localdate(self.asked.at))


class FindingsForm(AnsweringForm):
    """What the service found."""

    def questions(self) -> list[Question]:
        known = self.asked.info.findings
        self.initial = {code: _typed(value) for code, value in known.items()}
        return list(self.asked.procedure.finding) if self.asked.procedure else []


class EditForm(AnsweringForm):
    """The answers, to be corrected."""

    reason = forms.CharField(
        label=gettext_lazy("Pourquoi, lu par l’habitant"),
        help_text=gettext_lazy("Il lit ce qui change et ce motif ; l’ancienne réponse reste à l’histoire."),
        max_length=1000,
    )

    def questions(self) -> list[Question]:
        info = self.asked.info
        self.initial = {code: _typed(value) for code, value in info.answers.items()}
        if info.procedure is None:
            return []
        return [one for one in queries.asked(info.procedure, info.answers) if one.type != "file"]

    def judged(self, question: Question, value: Any) -> Any:
        """Return an answer of its type; an address that is not touched keeps its place, a new one has none."""
        known = self.asked.info.answers.get(question.code)
        if question.type == "address" and isinstance(known, Mapping) and value == known.get("label"):
            return dict(known)
        if question.type == "address":
            value = located(value, self.asked.territory)
        if question.type == "zone":
            value = corners_of(value)
        # A date was judged on the day it was sent.
        return checked_answer(question, value, today=timezone.localdate(self.asked.info.case.opened_at))


def _typed(value: Any) -> Any:
    """Return an answer as one types it."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, Mapping):
        return value.get("label", "")
    if isinstance(value, list):
        return typed_zone(value)
    return str(value).replace(".", ",") if isinstance(value, float) else value


class DecideForm(ActForm):
    """Which decision, and why."""

    decision = forms.ChoiceField(label=gettext_lazy("Décision"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Motif ou complément, lu par l’habitant"),
        help_text=gettext_lazy("Un refus dit les faits et la règle qui le fondent."),
        widget=WORDS,
        required=False,
        max_length=3000,
    )
    quality = forms.CharField(
        label=gettext_lazy("En quelle qualité vous décidez"),
        help_text=gettext_lazy("Votre nom, votre service et les voies de recours sont ajoutés d’eux-mêmes."),
        required=False,
        max_length=100,
    )

    def offer(self) -> None:
        known = self.asked.procedure.decision if self.asked.procedure else ()
        self.choose("decision", [(one.code, _words(one)) for one in known])


def _words(decision: Decision) -> str:
    extra = _("remet le document") if decision.delivers else _("peut être contestée") if decision.appeal else ""
    return f"{_(decision.label)} – {extra}" if extra else _(decision.label)


# --- What each does ---------------------------------------------------------------------------------------------------


def _edit(asked: Asked, values: Mapping[str, Any]) -> None:
    answers = {code: value if value not in ("", None) else None for code, value in values.items() if code != "reason"}
    changed = {code: value for code, value in answers.items() if value != asked.info.answers.get(code)}
    operations.edit_answers(
        number=asked.info.number, answers=changed, reason=values["reason"], by=asked.viewer, at=asked.at
    )


def _note_findings(asked: Asked, values: Mapping[str, Any]) -> None:
    operations.record_findings(number=asked.info.number, findings=values, by=asked.viewer, at=asked.at)


ACTS: Mapping[str, Act] = {
    "prendre": Act(
        title=gettext_noop("Prendre en charge"),
        label=gettext_noop("Prendre en charge"),
        done=gettext_noop("La demande est prise en charge."),
        form=AcceptForm,
        run=plain(cases.accept_case, "text", publish=False),
        states=frozenset({Status.RECEIVED, Status.WAITING}),
        key="a",
        open=True,
    ),
    "piece": Act(
        title=gettext_noop("Demander une pièce"),
        label=gettext_noop("La demander"),
        done=gettext_noop("La pièce est demandée ; l’habitant la joint depuis sa page."),
        form=PieceForm,
        run=plain(operations.ask_piece, "code", "label", "until", "text"),
        key="d",
    ),
    "ecrire": Act(
        title=gettext_noop("Écrire à l’habitant"),
        label=gettext_noop("Envoyer"),
        done=gettext_noop("Le message est envoyé."),
        form=MessageForm,
        run=plain(cases.write_to_parties, "text", "ask"),
        states=frozenset({*OPEN, Status.CLOSED}),
        key="e",
    ),
    "prevoir": Act(
        title=gettext_noop("Prévoir un jour"),
        label=gettext_noop("Annoncer ce jour"),
        done=gettext_noop("Le jour est annoncé à l’habitant."),
        form=PlanForm,
        run=plain(cases.schedule_case, "day", "text"),
        key="p",
    ),
    "proposer": Act(
        title=gettext_noop("Proposer une place"),
        label=gettext_noop("Proposer"),
        done=gettext_noop("La place est proposée ; l’habitant répond depuis sa page."),
        form=OfferForm,
        run=plain(operations.offer_place, "what"),
        key="l",
        wanted=lambda asked: asked.procedure is not None and asked.procedure.waiting is not None,
    ),
    "constater": Act(
        title=gettext_noop("Noter les constats"),
        label=gettext_noop("Noter"),
        done=gettext_noop("Les constats sont notés."),
        form=FindingsForm,
        run=_note_findings,
        key="o",
        wanted=lambda asked: asked.procedure is not None and bool(asked.procedure.finding),
    ),
    "decider": Act(
        title=gettext_noop("Décider"),
        label=gettext_noop("Décider et prévenir"),
        done=gettext_noop("La décision est prise ; l’habitant la lit, et la reçoit s’il a donné une adresse."),
        form=DecideForm,
        run=plain(operations.decide, "decision", "reason", "quality"),
        key="c",
        wanted=lambda asked: asked.procedure is not None,
    ),
    "corriger": Act(
        title=gettext_noop("Corriger les réponses"),
        label=gettext_noop("Corriger et prévenir"),
        done=gettext_noop("Les réponses sont corrigées ; l’habitant lit ce qui change."),
        form=EditForm,
        run=_edit,
        key="m",
        wanted=lambda asked: bool(asked.info.answers) and asked.procedure is not None,
    ),
    "suivre": Act(
        title=gettext_noop("Confier à un agent"),
        label=gettext_noop("Confier"),
        done=gettext_noop("L’agent qui suit la demande est noté."),
        form=AssignForm,
        run=assign,
        key="s",
    ),
    "transmettre": Act(
        title=gettext_noop("Transmettre à un autre service"),
        label=gettext_noop("Transmettre"),
        done=gettext_noop("La demande est transmise."),
        form=RouteForm,
        run=plain(cases.route_case, "service", "reason"),
        key="t",
    ),
    "noter": Act(
        title=gettext_noop("Noter pour le service"),
        label=gettext_noop("Ajouter la note"),
        done=gettext_noop("La note est ajoutée."),
        form=NoteForm,
        run=plain(cases.add_note, "text"),
        states=frozenset(Status),
    ),
    "rouvrir": Act(
        title=gettext_noop("Rouvrir"),
        label=gettext_noop("Rouvrir"),
        done=gettext_noop("La demande est rouverte."),
        form=ReasonForm,
        run=reopen,
        states=frozenset({Status.CLOSED}),
        open=True,
    ),
    "retirer-le-document": Act(
        title=gettext_noop("Retirer le document remis"),
        label=gettext_noop("Le retirer"),
        done=gettext_noop("Le document ne vaut plus : sa page de vérification le dit."),
        form=WithdrawForm,
        run=plain(operations.withdraw_certificate, "reason"),
        states=frozenset({*OPEN, Status.CLOSED}),
        wanted=lambda asked: any(one.withdrawn_at is None for one in queries.certificates_of(asked.info.number)),
    ),
}
