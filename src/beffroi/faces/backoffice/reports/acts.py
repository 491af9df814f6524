"""What an agent may do to one report: each act with the form it asks for, where it may be done, what it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import shapely
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory import queries as territory_queries
from beffroi.faces.backoffice.case_acts import (
    WORDS,
    Act,
    ActForm,
    AssignForm,
    Before,
    EmptyForm,
    NoteForm,
    ReasonForm,
    RouteForm,
    assign,
    plain,
    reopen,
)
from beffroi.faces.backoffice.reports.queue import outcome_choices
from beffroi.faces.shell.places import PlaceForm, write_zone
from beffroi.serve.alerts.definition import SEVERITIES
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import OPEN, Outcome, Status, Upload
from beffroi.serve.cases.ground import circle
from beffroi.serve.reports import operations, queries
from beffroi.serve.reports.places import MOST_ZONE_POINTS
from beffroi.serve.reports.queries import ReportInfo


class Said(str):
    """What an act tells of its own success, instead of the sentence of its kind."""

    __slots__ = ()


class Asked(Before):
    """One report before one agent, at one moment."""

    info: ReportInfo


class AcceptForm(ActForm):
    text = forms.CharField(
        label=gettext_lazy("Mot pour les habitants"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    publish = forms.BooleanField(
        label=gettext_lazy("Montrer la description et les photos à tous"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Relisez-les : ni nom, ni visage, ni plaque."),
    )


class MessageForm(ActForm):
    text = forms.CharField(label=gettext_lazy("Message"), widget=WORDS, max_length=4000)
    ask = forms.BooleanField(
        label=gettext_lazy("C’est une question : le signalement attend la réponse"), required=False
    )
    public = forms.BooleanField(label=gettext_lazy("Visible de tous sur la page du signalement"), required=False)


class PlanForm(ActForm):
    day = forms.DateField(
        label=gettext_lazy("Jour de l’intervention"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    text = forms.CharField(label=gettext_lazy("Mot pour les habitants"), required=False, max_length=1000)


class CloseForm(ActForm):
    outcome = forms.ChoiceField(label=gettext_lazy("Issue"), widget=forms.RadioSelect, initial=Outcome.DONE.value)
    reason = forms.CharField(
        label=gettext_lazy("Motif, lu par tous ceux qui le suivent"), widget=WORDS, max_length=4000
    )
    photo = forms.FileField(
        label=gettext_lazy("Photo après intervention"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "image/*"}),
    )

    def offer(self) -> None:
        self.choose("outcome", outcome_choices())


class ReclassifyForm(ActForm):
    category = forms.ChoiceField(label=gettext_lazy("Catégorie"))

    def offer(self) -> None:
        known = queries.categories_for(self.asked.viewer, self.asked.territory)
        now = self.asked.info.case.category
        self.choose(
            "category",
            [(one.category.code, _(one.category.label)) for one in known if one.category.code != now],
        )


class MergeForm(ActForm):
    into = forms.CharField(
        label=gettext_lazy("Numéro du signalement qu’il rejoint"),
        max_length=12,
        help_text=gettext_lazy("Chacun garde son fil et son lien ; tous reçoivent la même réponse."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AlertForm(ActForm, PlaceForm):
    """An alert: what to do, how grave, and where: a zone drawn, else a district, else around a place."""

    place_object = None
    title = forms.CharField(label=gettext_lazy("Titre de l’alerte"), max_length=120)
    text = forms.CharField(label=gettext_lazy("Consigne, lue par tous"), widget=WORDS, max_length=1000)
    severity = forms.ChoiceField(
        label=gettext_lazy("Gravité"),
        choices=[(name.lower(), gettext_lazy(SEVERITIES[name])) for name in ("Minor", "Moderate", "Severe")],
        initial="moderate",
    )
    hours = forms.IntegerField(label=gettext_lazy("Durée, en heures"), min_value=1, max_value=720, initial=24)
    radius_m = forms.IntegerField(
        label=gettext_lazy("Rayon autour du lieu, en mètres"), min_value=20, max_value=20_000, initial=200
    )
    district = forms.ChoiceField(label=gettext_lazy("Ou tout un quartier"), required=False)

    def offer(self) -> None:
        info = self.asked.info
        here = {"lat": f"{info.lat:.6f}", "lon": f"{info.lon:.6f}"}
        drawn = {"zone": write_zone(cast(Any, shapely.from_geojson(info.zone)))} if info.zone else {}
        # The words of an inhabitant are not sent to others: an agent writes what is to be done.
        self.initial = {"title": _(info.label)} | here | drawn
        self.districts = {one.slug: one for one in territory_queries.zones(self.asked.territory, "quartier")}
        names = [(slug, one.name) for slug, one in self.districts.items()]
        self.choose("district", [("", _("Non")), *names])
        if not names:
            del self.fields["district"]
        self.fields["zone"].label = _("Ou une zone dessinée")

    @property
    def others(self) -> list[forms.BoundField]:
        """Return the fields that the map does not fill in."""
        return [field for field in self if field.name not in ("lat", "lon", "zone")]

    def clean(self) -> dict[str, Any]:
        """Add `outline`, the zone as GeoJSON."""
        values = super().clean()
        if not self.errors:
            values["outline"] = self._outline(values)
        return values

    def _outline(self, values: Mapping[str, Any]) -> str:
        if values.get("zone") is not None:
            return str(shapely.to_geojson(values["zone"]))
        if chosen := self.districts.get(values.get("district") or ""):
            return outline_of(chosen.shape)
        return str(shapely.to_geojson(circle(values["lon"], values["lat"], values["radius_m"])))


def outline_of(shape: bytes) -> str:
    """Return a polygon around a shape (WKB, CRS84) as GeoJSON: itself when it is one and not too detailed."""
    found = shapely.from_wkb(shape)
    if not isinstance(found, shapely.Polygon) or shapely.get_num_coordinates(found) > MOST_ZONE_POINTS:
        found = found.convex_hull
    return str(shapely.to_geojson(found))


# --- What each does ---------------------------------------------------------------------------------------------------


def _close(asked: Asked, values: Mapping[str, Any]) -> None:
    photo = values["photo"]
    operations.close_report(
        number=asked.info.number,
        outcome=Outcome(values["outcome"]),
        reason=values["reason"],
        photos=[Upload(photo.name, photo.read())] if photo else [],
        by=asked.viewer,
        at=asked.at,
    )


def _raise_alert(asked: Asked, values: Mapping[str, Any]) -> Said:
    operations.raise_alert(
        number=asked.info.number,
        title=values["title"],
        text=values["text"],
        severity=values["severity"],
        zone=values["outline"],
        until=asked.at + timedelta(hours=values["hours"]),
        by=asked.viewer,
        at=asked.at,
    )
    if values["severity"] == "severe":
        words = _("L’alerte est écrite ; grave, elle part dès qu’un autre agent l’approuve, sur la page des alertes.")
        return Said(words)
    return Said(_("L’alerte part : les abonnés de la zone la reçoivent, et chacun la lit sur la page des alertes."))


ACTS: Mapping[str, Act] = {
    "prendre": Act(
        title=gettext_noop("Prendre en charge"),
        label=gettext_noop("Prendre en charge"),
        done=gettext_noop("Le signalement est pris en charge."),
        form=AcceptForm,
        run=plain(cases.accept_case, "text", "publish"),
        states=frozenset({Status.RECEIVED, Status.WAITING, Status.SCHEDULED}),
        key="a",
        open=True,
    ),
    "lever-le-doute": Act(
        title=gettext_noop("Lever le doute"),
        label=gettext_noop("C’est un vrai signalement"),
        done=gettext_noop("Le signalement rejoint la file."),
        form=EmptyForm,
        run=plain(cases.release_case),
        states=frozenset({Status.HELD}),
        key="a",
        open=True,
    ),
    "ecrire": Act(
        title=gettext_noop("Écrire aux habitants"),
        label=gettext_noop("Envoyer"),
        done=gettext_noop("Le message est envoyé."),
        form=MessageForm,
        run=plain(cases.write_to_parties, "text", "ask", "public"),
        states=frozenset({*OPEN, Status.CLOSED}),
        key="e",
    ),
    "prevoir": Act(
        title=gettext_noop("Prévoir une intervention"),
        label=gettext_noop("Annoncer ce jour"),
        done=gettext_noop("Le jour est annoncé à ceux qui suivent le signalement."),
        form=PlanForm,
        run=plain(cases.schedule_case, "day", "text"),
        key="p",
    ),
    "clore": Act(
        title=gettext_noop("Clore"),
        label=gettext_noop("Clore et prévenir"),
        done=gettext_noop("Le signalement est clos ; ceux qui le suivent sont prévenus."),
        form=CloseForm,
        run=_close,
        states=frozenset({*OPEN, Status.HELD}),
        key="c",
    ),
    "rouvrir": Act(
        title=gettext_noop("Rouvrir"),
        label=gettext_noop("Rouvrir"),
        done=gettext_noop("Le signalement est rouvert."),
        form=ReasonForm,
        run=reopen,
        states=frozenset({Status.CLOSED}),
        open=True,
    ),
    "suivre": Act(
        title=gettext_noop("Confier à un agent"),
        label=gettext_noop("Confier"),
        done=gettext_noop("L’agent qui suit le signalement est noté."),
        form=AssignForm,
        run=assign,
        key="s",
    ),
    "transmettre": Act(
        title=gettext_noop("Transmettre à un autre service"),
        label=gettext_noop("Transmettre"),
        done=gettext_noop("Le signalement est transmis."),
        form=RouteForm,
        run=plain(operations.route_report, "service", "reason"),
        key="t",
    ),
    "reclasser": Act(
        title=gettext_noop("Changer de catégorie"),
        label=gettext_noop("Changer"),
        done=gettext_noop("La catégorie est changée, avec son service et son délai."),
        form=ReclassifyForm,
        run=plain(operations.reclassify_report, "category"),
    ),
    "joindre": Act(
        title=gettext_noop("Joindre à un autre signalement"),
        label=gettext_noop("Joindre"),
        done=gettext_noop("Les deux signalements sont suivis ensemble."),
        form=MergeForm,
        run=plain(operations.merge_reports, "into"),
        key="d",
    ),
    "separer": Act(
        title=gettext_noop("Séparer"),
        label=gettext_noop("Suivre séparément"),
        done=gettext_noop("Le signalement est de nouveau suivi à part."),
        form=EmptyForm,
        run=plain(operations.separate_report),
        states=frozenset({Status.JOINED}),
        open=True,
    ),
    "noter": Act(
        title=gettext_noop("Noter pour le service"),
        label=gettext_noop("Ajouter la note"),
        done=gettext_noop("La note est ajoutée."),
        form=NoteForm,
        run=plain(cases.add_note, "text"),
        states=frozenset(Status),
    ),
    "mettre-de-cote": Act(
        title=gettext_noop("Mettre de côté comme douteux"),
        label=gettext_noop("Mettre de côté"),
        done=gettext_noop("Le signalement est mis de côté ; seul le service le voit."),
        form=ReasonForm,
        run=lambda asked, values: cases.hold_case(
            number=asked.info.number, text=values["reason"], by=asked.viewer, at=asked.at
        ),
        states=frozenset({Status.RECEIVED}),
    ),
    "alerter": Act(
        title=gettext_noop("En faire une alerte de zone"),
        label=gettext_noop("Lancer l’alerte"),
        done=gettext_noop("L’alerte est transmise."),
        form=AlertForm,
        run=_raise_alert,
    ),
    "finir-l-alerte": Act(
        title=gettext_noop("Mettre fin à l’alerte de zone"),
        label=gettext_noop("Terminer l’alerte"),
        done=gettext_noop("L’alerte est terminée ; elle n’est plus sur la page des alertes."),
        form=EmptyForm,
        run=plain(operations.end_alerts),
        states=frozenset(Status),
    ),
}
