"""The forms of a booking by the hour: what is sought, then what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from beffroi.faces.shell.questions import question_field
from beffroi.serve.bookings.hours.definition import MODE_TITLES
from beffroi.serve.bookings.hours.news import euros
from beffroi.serve.bookings.hours.queries import SlotThing, Tariff, Time, price_of

DETAIL = "d_"
HOURS = [("", _("Sans préférence")), *((f"{hour:02}", f"{hour} h") for hour in range(6, 23))]


class SearchForm(forms.Form):
    """What is sought: of what, which day, from what hour, where, with what."""

    quoi = forms.ChoiceField(label=_("Quoi ?"), required=False)
    jour = forms.DateField(
        label=_("Quel jour ?"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )  # fmt: skip
    heure = forms.ChoiceField(label=_("À partir de quelle heure ?"), choices=HOURS, required=False)
    lieu = forms.ChoiceField(label=_("Où ?"), required=False)
    avec = forms.ChoiceField(label=_("Avec quoi ?"), required=False)

    def __init__(self, data: Any, *, things: Sequence[SlotThing]) -> None:
        super().__init__(data, auto_id="chercher_%s")
        self._choices("quoi", _("Tout"), [(one.use_case, gettext(one.title)) for one in things])
        places = [(one.slug, gettext(one.label)) for thing in things for one in thing.rules.place]
        self._choices("lieu", _("Partout"), list(dict.fromkeys(places)))
        equipment = sorted({one for thing in things for one in thing.equipment})
        self._choices("avec", _("Sans préférence"), [(one, gettext(one)) for one in equipment])
        for name, few in (("quoi", len(things) < 2), ("lieu", len(places) < 2), ("avec", not equipment)):
            if few:
                del self.fields[name]

    def _choices(self, name: str, none: Any, choices: Sequence[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = [("", none), *choices]

    def value(self, name: str) -> Any:
        """Return what is sought, "" of what is not asked or not understood: a search is never refused."""
        self.is_valid()
        return self.cleaned_data.get(name) or ""


class SlotForm(forms.Form):
    """What a booking asks: until when, at what price, for how many, the questions, whom to call."""

    fin = forms.ChoiceField(label=_("Jusqu’à quelle heure ?"))
    tarif = forms.ChoiceField(label=_("Vous réservez en tant que"), widget=forms.RadioSelect)
    association = forms.CharField(
        label=_("Nom de l’association"), max_length=120, required=False,
        help_text=_("Seulement pour le tarif d’une association."),
    )  # fmt: skip
    adresse = forms.CharField(
        label=_("Votre adresse"), max_length=200, required=False,
        help_text=_("Pour compter par foyer : elle est scellée et ne peut plus être lue."),
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )  # fmt: skip
    mode = forms.ChoiceField(label=_("Comment ?"), widget=forms.RadioSelect)
    personnes = forms.IntegerField(
        label=_("Combien serez-vous ?"), min_value=1, initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Votre nom"), max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("Votre e-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("Pour le reçu, le rappel et le code. Jamais publié."),
    )  # fmt: skip
    phone = forms.CharField(
        label=_("Votre téléphone"), max_length=30, required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )  # fmt: skip

    def __init__(
        self, thing: SlotThing, time: Time, ends: Sequence[datetime], *args: Any, for_another: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.thing = thing
        rules, place = thing.rules, thing.rules.place_of(time.place)
        tariffs = rules.tariffs_on(time.starts.date())
        shown = {
            "fin": len(ends) > 1,
            "tarif": len(tariffs) > 1,
            "association": any(one.group for one in tariffs),
            "adresse": rules.per == "household",
            "mode": len(rules.modes) > 1,
            "personnes": place.people > 1 and rules.unit != "session",
            "name": not for_another,
            "phone": not for_another,
        }
        for name, is_shown in shown.items():
            if not is_shown:
                del self.fields[name]
        if "fin" in self.fields:
            self._choices("fin", [(end.isoformat(), _until(time, end)) for end in ends])
        if "tarif" in self.fields:
            free = rules.unit == "free"
            self._choices("tarif", [(one.code, tariff_words(one, time, by_hour=free)) for one in tariffs])
        if "mode" in self.fields:
            self._choices("mode", [(mode, gettext(MODE_TITLES[mode])) for mode in rules.modes])
        if "personnes" in self.fields:
            cast(forms.IntegerField, self.fields["personnes"]).max_value = place.people
        for question in rules.field:
            given = str(self.data.get(f"{DETAIL}{question.code}") or "")
            self.fields[f"{DETAIL}{question.code}"] = question_field(question, given=given)

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def first_fields(self) -> Iterator[BoundField]:
        """Yield what is asked of the booking itself."""
        last = ("name", "email", "phone")
        return (self[name] for name in self.fields if name not in last)

    def contact_fields(self) -> Iterator[BoundField]:
        """Yield whom to call."""
        return (self[name] for name in ("name", "email", "phone") if name in self.fields)

    def answers(self) -> dict[str, Any]:
        """Return the answers to the questions, by code, once valid."""
        found = {n.removeprefix(DETAIL): value for n, value in self.cleaned_data.items() if n.startswith(DETAIL)}
        return {code: value.isoformat() if isinstance(value, date) else value for code, value in found.items()}


def _until(time: Time, end: datetime) -> str:
    hours = (end - time.starts) / timedelta(hours=1)
    return gettext("{hour} ({n} h)").format(hour=f"{end:%H:%M}", n=f"{hours:g}".replace(".", ","))


def tariff_words(tariff: Tariff, time: Time, *, by_hour: bool) -> str:
    """Return what a tariff costs in words: at once, or by the hour when the length is to be chosen."""
    price, deposit = price_of(tariff, time)
    words = [gettext(tariff.label)]
    if by_hour and tariff.hour_cents:
        flat = gettext("{price} et ").format(price=euros(tariff.flat_cents)) if tariff.flat_cents else ""
        words.append(flat + gettext("{price} de l’heure").format(price=euros(tariff.hour_cents)))
    else:
        words.append(euros(price) if price else gettext("gratuit"))
    if deposit:
        words.append(gettext("caution {price}").format(price=euros(deposit)))
    return " · ".join(words)
