"""How procedures are told and asked on every face: the box of a question, an answer in words, an address found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from shapely.geometry import Polygon

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.money import euros
from beffroi.faces.shell.addresses import AddressField
from beffroi.faces.shell.places import read_zone, write_zone
from beffroi.faces.shell.sentences import said
from beffroi.serve.procedures import queries
from beffroi.serve.procedures.declaration import Question
from beffroi.serve.procedures.queries import FeeInfo, RequestInfo, SiteConflict

# Units that the shipped procedures say, for the catalogues: `unit` means something else in other files.
UNITS = (gettext_noop("personnes"), gettext_noop("litres"), gettext_noop("€ par mois"))
# What the shipped tariffs are counted by.
PER = (gettext_noop("repas"), gettext_noop("demi-journée"), gettext_noop("heure"), gettext_noop("an"))
BASES = {
    "checked": gettext_noop("d’après ce que le service a vérifié"),
    "proof": gettext_noop("d’après votre attestation, que le service vérifie"),
    "told": gettext_noop("d’après ce que vous dites : le service demandera l’attestation"),
    "unknown": gettext_noop("sans connaître vos ressources"),
}


CONFLICTS = {
    "request": gettext_noop("Même lieu, mêmes jours"),
    "works": gettext_noop("Travaux au même endroit"),
    "detour": gettext_noop("Sur une déviation"),
    "recent": gettext_noop("Chaussée refaite récemment"),
    "event": gettext_noop("Événement prévu"),
}


class FilesInput(forms.FileInput):
    """A box that takes several files at once."""

    allow_multiple_selected = True


def told(error: BeffroiError) -> str:
    """Return an error as a form says it: what is wrong, and how to mend it."""
    words = f"{said(error.what)} ; {said(error.remedy)}." if error.remedy else f"{said(error.what)}."
    return words[:1].upper() + words[1:]


def field_of(question: Question, citycode: str = "") -> forms.Field:
    """Return the box of a question; labels and helps come from the files of the use cases, translated like them."""
    helps = [_(text) for text in (question.help, question.why) if text]
    label = f"{_(question.label)} ({_(question.unit)})" if question.unit else _(question.label)
    shared: dict[str, Any] = {"label": label, "help_text": " ".join(helps), "required": question.required}
    makers = {
        "address": lambda: AddressField(citycode=citycode, **shared),
        "choice": lambda: _choice([(code, _(text)) for code, text in question.choices.items()], shared),
        "yes-no": lambda: _choice([("oui", _("Oui")), ("non", _("Non"))], shared),
        "date": lambda: _date(shared),
        "number": lambda: _number(question, shared),
        "file": lambda: _file(question, shared),
        "zone": lambda: _zone(shared),
        "long": lambda: forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), max_length=4000, **shared),
    }
    return makers.get(question.type, lambda: forms.CharField(max_length=300, **shared))()


def _choice(choices: list[tuple[str, str]], shared: dict[str, Any]) -> forms.Field:
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **shared)


def _date(shared: dict[str, Any]) -> forms.Field:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, input_formats=["%Y-%m-%d", "%d/%m/%Y"], **shared)


def _number(question: Question, shared: dict[str, Any]) -> forms.Field:
    # Not a spinner: it drops what is not a number, and a wheel changes it unseen.
    mode = "decimal" if question.decimals else "numeric"
    attrs = {"inputmode": mode, "autocomplete": "off", "size": "8"}
    return forms.CharField(widget=forms.TextInput(attrs=attrs), max_length=24, **shared)


def _zone(shared: dict[str, Any]) -> forms.Field:
    helps = [shared["help_text"], _("Un coin par ligne, latitude puis longitude : 45,0102 3,0045.")]
    widget = forms.Textarea(attrs={"rows": 4, "autocomplete": "off"})
    return forms.CharField(widget=widget, max_length=8000, **shared | {"help_text": " ".join(filter(None, helps))})


def corners_of(typed: Any) -> Any:
    """Return the corners, [lon, lat], of a zone as it is typed; what is none is left for the room to judge.

    Raises:
        BadPlace: a line cannot be read, or the sides cross.
    """
    if not isinstance(typed, str) or not typed.strip():
        return typed
    return [[lon, lat] for lon, lat, *_height in list(read_zone(typed).exterior.coords)[:-1]]


def typed_zone(corners: Sequence[Sequence[float]]) -> str:
    """Return the corners of a zone as one types them."""
    return write_zone(Polygon(corners))


def told_conflicts(found: Iterable[SiteConflict], *, outside: bool) -> list[tuple[str, str, SiteConflict]]:
    """Return each conflict with its title and its sentence in the reader's language."""
    return [(_(CONFLICTS[one.code]), said(one.told_outside if outside else one.told), one) for one in found]


@dataclass(frozen=True, slots=True)
class ToldFee:
    """A fee in the reader's language: what it is for, how much, on what ground, how it was reached, by what text."""

    label: str
    amount: str
    basis: str
    steps: tuple[str, ...]
    article: str
    to_check: str


def told_fees(found: Iterable[FeeInfo]) -> list[ToldFee]:
    """Return fees in the reader's language."""
    return [
        ToldFee(
            _(one.label),
            _("{amount} par {unit}").format(amount=euros(one.cents), unit=_(one.unit)),
            _(BASES[one.basis]),
            tuple(said(step) for step in one.steps),
            one.article,
            one.to_check,
        )
        for one in found
    ]


def _file(question: Question, shared: dict[str, Any]) -> forms.Field:
    kinds = {"photo": "image/jpeg,image/png,image/webp", "pdf": "application/pdf"}
    accept = ",".join(kinds[one] for one in question.accept)
    return forms.FileField(widget=FilesInput(attrs={"accept": accept}), **shared)


def said_answer(question: Question, value: Any) -> str:
    """Return an answer in the reader's language."""
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    words = queries.told_answer(question, value)
    return _(words) if question.type == "choice" else words


def answers_of(info: RequestInfo) -> list[tuple[str, str]]:
    """Return the answers of a request in the order of its form: question, answer."""
    if info.procedure is None:
        return [(code, str(value)) for code, value in info.answers.items()]
    return _told(info.procedure.questions(), info.answers)


def findings_of(info: RequestInfo) -> list[tuple[str, str]]:
    """Return what the service found."""
    return _told(info.procedure.finding, info.findings) if info.procedure else []


def _told(questions: Iterable[Question], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_(one.label), said_answer(one, values[one.code])) for one in questions if one.code in values]


def located(text: str, citycode: str) -> dict[str, Any]:
    """Return an address typed by an agent with its place when it is known and clear, without otherwise."""
    try:
        found = AddressField(citycode=citycode, required=False).clean(text)
    except forms.ValidationError:
        found = None
    return {"label": text, "lon": None, "lat": None} if found is None else {
        "label": found.label, "lon": found.lon, "lat": found.lat,
    }  # fmt: skip
