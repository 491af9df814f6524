"""What a need, a round over needs and a passage are told with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.backoffice.outreach.going import URGENCIES, Going
from beffroi.faces.shell.addresses import AddressField
from beffroi.sense.mobility.profiles import load_profiles
from beffroi.sense.mobility.rounds.kinds import Kind
from beffroi.sense.mobility.rounds.needs import MOST_WORDS
from beffroi.sense.mobility.rounds.plan import DAY_S, MOST_STOPS, Plan, Site, Vehicle

# How a team may go, by the profiles of routes.
BY = ("a-pied", "velo", "fourgon", "voiture")
WALK_M = 200
_HOUR = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class NeedForm(forms.Form):
    """A call, or a usual place."""

    place = AddressField(label=gettext_lazy("Où"))
    urgency = forms.TypedChoiceField(
        label=gettext_lazy("Quand y passer"), coerce=int, initial=1, widget=forms.RadioSelect,
        choices=[(code, label) for code, (label, _kind) in URGENCIES.items()],
    )  # fmt: skip
    words = forms.CharField(
        label=gettext_lazy("Ce qu’il faut savoir"), required=False, max_length=MOST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Chiffré ; lu de votre seul service, effacé trois mois après le dernier passage."),
    )  # fmt: skip
    usual = forms.BooleanField(
        label=gettext_lazy("Lieu habituel : y repasser à chaque maraude"), required=False,
    )  # fmt: skip

    def __init__(self, *args: Any, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(AddressField, self.fields["place"]).citycode = territory


class TeamForm(forms.Form):
    """Tonight's round: the team, its hours, and which needs."""

    title = forms.CharField(
        label=gettext_lazy("Nom de la maraude"), max_length=200,
        help_text=gettext_lazy("Sans nom de personne ni de lieu : il se lit dans la liste."),
    )  # fmt: skip
    team = forms.CharField(label=gettext_lazy("Équipe"), max_length=60)
    by = forms.ChoiceField(label=gettext_lazy("Comment elle se déplace"), widget=forms.RadioSelect, initial=BY[0])
    day = forms.DateField(label=gettext_lazy("Jour"), widget=_DAY)
    leaves = forms.TimeField(label=gettext_lazy("Départ"), widget=_HOUR)
    ends = forms.TimeField(
        label=gettext_lazy("Fin"), widget=_HOUR, help_text=gettext_lazy("Avant l’heure de départ : le lendemain.")
    )
    depot = AddressField(label=gettext_lazy("Lieu de départ"))
    arrival = AddressField(label=gettext_lazy("Lieu de fin, s’il est autre"), required=False)
    minutes = forms.IntegerField(label=gettext_lazy("Minutes à chaque arrêt"), min_value=1, max_value=120, initial=10)
    wanted = forms.MultipleChoiceField(
        label=gettext_lazy("Où passer"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choisissez au moins un besoin.")},
    )  # fmt: skip

    def __init__(self, *args: Any, territory: str, found: Sequence[Going], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profiles = load_profiles()[0]
        known = [(slug, _(profiles[slug].title)) for slug in BY if slug in profiles]
        cast(forms.ChoiceField, self.fields["by"]).choices = known
        readable = [(one, one.place) for one in found if one.place is not None]
        cast(forms.MultipleChoiceField, self.fields["wanted"]).choices = [
            (one.source, _("{place} – {urgency}, {origin}").format(place=place.name, urgency=one.told.lower(),
                                                                   origin=one.origin.lower()))
            for one, place in readable
        ]  # fmt: skip
        self.fields["wanted"].initial = [one.source for one, _place in readable][:MOST_STOPS]
        for name in ("depot", "arrival"):
            cast(AddressField, self.fields[name]).citycode = territory

    def plan(self) -> Plan:
        """Return the plan of a valid form; a team that ends at or before it leaves ends the next day."""
        data = self.cleaned_data
        start_s, end_s = (3600 * one.hour + 60 * one.minute for one in (data["leaves"], data["ends"]))
        depot, arrival = data["depot"], data.get("arrival")
        team = Vehicle(
            name=data["team"].strip(), profile=data["by"], start_s=start_s,
            end_s=end_s if end_s > start_s else end_s + DAY_S,
            depot=Site(name=depot.label, lon=depot.lon, lat=depot.lat),
            arrival=Site(name=arrival.label, lon=arrival.lon, lat=arrival.lat) if arrival else None,
        )  # fmt: skip
        return Plan(vehicles=(team,), walk_m=WALK_M, teams=True)


class PassageForm(forms.Form):
    """What came of a stop."""

    outcome = forms.ChoiceField(label=gettext_lazy("Ce qu’il en est"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Note de l’équipe"), required=False, max_length=MOST_WORDS,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Chiffrée ; lue de votre seul service, effacée après trois mois."),
    )  # fmt: skip
    done_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.code, _(one.label)) for one in kind.settings.outcome]
        cast(forms.ChoiceField, self.fields["outcome"]).choices = choices
