"""What a round is asked with: its stops, from one of four sources, its day and its vehicles."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.backoffice.rounds.reading import (
    features_as_rows,
    read_breaks,
    read_table,
    read_windows,
    stops_read,
)
from beffroi.faces.shell.addresses import Address, AddressField
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.lake import queries as lake
from beffroi.sense.mobility.rounds import queries
from beffroi.sense.mobility.rounds.plan import MOST_STOPS, Plan, Site, Stop, Vehicle
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.categories import categories_for
from beffroi.serve.reports.queries import ReportFilter

MOST_FILE_BYTES = 1_000_000
VEHICLES = 4
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_HOURS = gettext_lazy("Par exemple : 5h-12h")


class RoundForm(forms.Form):
    """The round itself and its stops."""

    title = forms.CharField(label=gettext_lazy("Nom de la tournée"), max_length=200)
    service = forms.ChoiceField(label=gettext_lazy("Service"))
    day = forms.DateField(label=gettext_lazy("Jour"), widget=_DAY)
    text = forms.CharField(
        label=gettext_lazy("Arrêts, un par ligne"),
        required=False,
        help_text=gettext_lazy(
            "Une adresse par ligne, ou : nom ; latitude ; longitude ; quantité ; minutes ; heures ; véhicule ; rang. "
            "Les deux dernières colonnes disent la tournée actuelle."
        ),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    file = forms.FileField(label=gettext_lazy("Ou un fichier CSV"), required=False)
    dataset = forms.ChoiceField(label=gettext_lazy("Ou les points d’un jeu de données"), required=False)
    category = forms.ChoiceField(label=gettext_lazy("Ou les signalements ouverts d’une catégorie"), required=False)
    amount = forms.FloatField(
        localize=True,
        label=gettext_lazy("Quantité d’un arrêt qui ne la dit pas"),
        min_value=0,
        max_value=100_000,
        initial=1,
    )
    minutes = forms.FloatField(
        localize=True,
        label=gettext_lazy("Minutes par arrêt, quand il ne les dit pas"),
        min_value=0,
        max_value=240,
        initial=2,
    )
    depot = AddressField(label=gettext_lazy("Dépôt : d’où partent et où rentrent les véhicules"))
    tip = AddressField(label=gettext_lazy("Lieu de vidage"), required=False)
    tip_minutes = forms.IntegerField(label=gettext_lazy("Minutes par vidage"), min_value=0, max_value=240, initial=15)
    dense = forms.CharField(
        label=gettext_lazy("Heures chargées"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("On ne s’arrête pas alors sur les grandes rues. Par exemple : 7h30-9h, 16h30-18h30"),
    )
    walk_m = forms.IntegerField(
        label=gettext_lazy("Mètres que l’équipe porte à pied, au plus"), min_value=5, max_value=200, initial=30
    )

    def __init__(self, *args: Any, viewer: Viewer, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer, self.territory = viewer, territory
        mine = queries.services_of(viewer, territory)
        self._choices("service", [one for one in service_names(territory).items() if one[0] in mine])
        points = [one for one in lake.datasets(viewer, territory=territory) if one.geometry_type == "Point"]
        self._choices("dataset", [("", _("Aucun")), *((one.ref.slug, one.title) for one in points)])
        known = [one.category for one in categories_for(viewer, territory) if one.category.service in mine]
        self._choices("category", [("", _("Aucune")), *((one.code, _(one.label)) for one in known)])
        for name in ("depot", "tip"):
            cast(AddressField, self.fields[name]).citycode = territory

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean_dense(self) -> Any:
        """Return the dense hours."""
        try:
            return read_windows(self.cleaned_data["dense"])
        except BeffroiError as fault:
            raise forms.ValidationError(f"{said(fault.what)} ; {said(fault.remedy)}.") from fault

    def clean_file(self) -> str:
        """Return the text of the file sent."""
        sent = self.cleaned_data.get("file")
        if not isinstance(sent, UploadedFile):
            return ""
        if (sent.size or 0) > MOST_FILE_BYTES:
            raise forms.ValidationError(_("Ce fichier est trop gros : un mégaoctet au plus."))
        content = sent.read()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content.decode("cp1252", errors="replace")

    def clean(self) -> dict[str, Any]:
        """Read the stops from the one source given."""
        data = super().clean() or {}
        given = [name for name in ("text", "file", "dataset", "category") if data.get(name)]
        if len(given) != 1:
            self.add_error(
                "text", _("Donnez les arrêts d’une seule façon : une liste, un fichier, un jeu ou une catégorie.")
            )
        elif not self.errors:
            try:
                data["stops"] = self._stops(given[0])
            except BeffroiError as fault:
                self.add_error(given[0], f"{said(fault.what)} ; {said(fault.remedy)}.")
            else:
                if not data["stops"]:
                    self.add_error(given[0], _("Aucun arrêt n’a été trouvé ici."))
        return data

    def _stops(self, source: str) -> list[Stop]:
        data = self.cleaned_data
        usual = {"citycode": self.territory, "amount": data["amount"], "service_s": round(60 * data["minutes"])}
        if source in ("text", "file"):
            return stops_read(read_table(data[source]), **usual)
        if source == "dataset":
            ref = lake.DatasetRef(self.territory, data["dataset"])
            page = lake.features(self.viewer, ref, limit=MOST_STOPS + 1)
            return stops_read(features_as_rows(page.features), **usual)
        wanted = ReportFilter(categories=(data["category"],), statuses=("open",))
        page_of_reports = reports.queue(self.viewer, self.territory, wanted, at=timezone.now(), size=MOST_STOPS)
        open_now = page_of_reports.items
        rows = [
            {"name": f"{one.number} {one.address}".strip(), "lat": f"{one.lat}", "lon": f"{one.lon}"}
            for one in open_now
        ]
        return stops_read(rows, **usual, sources=[f"report:{one.number}" for one in open_now])


class VehicleForm(forms.Form):
    """One vehicle; empty, there is none."""

    name = forms.CharField(label=gettext_lazy("Nom"), max_length=60, required=False)
    profile = forms.ChoiceField(label=gettext_lazy("Genre"))
    hours = forms.CharField(label=gettext_lazy("Heures"), max_length=20, initial="5h-12h", help_text=_HOURS)
    capacity = forms.FloatField(
        localize=True, label=gettext_lazy("Capacité"), required=False, min_value=0.001,
        help_text=gettext_lazy("Dans l’unité des quantités ; vide : sans limite."),
    )  # fmt: skip
    width_m = forms.FloatField(
        localize=True, label=gettext_lazy("Largeur (m)"), required=False, min_value=0.5, max_value=4
    )
    height_m = forms.FloatField(
        localize=True, label=gettext_lazy("Hauteur (m)"), required=False, min_value=0.5, max_value=5
    )
    weight_t = forms.FloatField(
        localize=True, label=gettext_lazy("Poids en charge (t)"), required=False, min_value=0.1, max_value=44
    )
    breaks = forms.CharField(
        label=gettext_lazy("Pause"), required=False, max_length=80,
        help_text=gettext_lazy("Par exemple : 9h-10h30 20 min"),
    )  # fmt: skip
    depot = AddressField(label=gettext_lazy("Un autre dépôt"), required=False)

    def __init__(self, *args: Any, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.slug, _(one.title)) for one in queries.vehicle_profiles()]
        cast(forms.ChoiceField, self.fields["profile"]).choices = choices
        self.fields["profile"].initial = "benne"
        cast(AddressField, self.fields["depot"]).citycode = territory
        for name in ("width_m", "height_m", "weight_t"):
            self.fields[name].help_text = _("Vide : celle du genre.")

    def clean_hours(self) -> Any:
        """Return the one window in which the crew is out."""
        windows = self._read(read_windows, "hours")
        if len(windows) != 1:
            raise forms.ValidationError(_("Donnez une heure de départ et une de retour : 5h-12h."))
        return windows[0]

    def clean_breaks(self) -> Any:
        """Return the breaks."""
        return self._read(read_breaks, "breaks")

    def _read(self, read: Any, name: str) -> Any:
        try:
            return read(self.cleaned_data[name])
        except BeffroiError as fault:
            raise forms.ValidationError(f"{said(fault.what)} ; {said(fault.remedy)}.") from fault

    def vehicle(self, depot: Address) -> Vehicle | None:
        """Return the vehicle, None when none is named."""
        data = self.cleaned_data
        if not data.get("name"):
            return None
        own = data.get("depot") or depot
        return Vehicle(
            name=data["name"].strip(), profile=data["profile"], start_s=data["hours"].start_s,
            end_s=data["hours"].end_s, depot=site(own), capacity=data["capacity"] or None,
            width_cm=round(100 * (data["width_m"] or 0)),
            height_cm=round(100 * (data["height_m"] or 0)), weight_kg=round(1000 * (data["weight_t"] or 0)),
            breaks=data["breaks"],
        )  # fmt: skip


def site(address: Address) -> Site:
    """Return an address as a place of a round."""
    return Site(name=address.label, lon=address.lon, lat=address.lat)


def vehicle_forms(data: Any, territory: str) -> list[VehicleForm]:
    """Return the forms of the vehicles, the first already named."""
    found = [VehicleForm(data, prefix=f"v{rank}", territory=territory) for rank in range(1, VEHICLES + 1)]
    found[0].fields["name"].initial = _("Benne 1")
    return found


def plan_of(form: RoundForm, vehicles: list[VehicleForm]) -> Plan:
    """Return the plan of forms that are valid."""
    data = form.cleaned_data
    named = [one for one in (each.vehicle(data["depot"]) for each in vehicles) if one is not None]
    tip = data.get("tip")
    return Plan(
        vehicles=tuple(named), tip=site(tip) if tip else None, tip_s=60 * data["tip_minutes"], dense=data["dense"],
        walk_m=data["walk_m"],
    )  # fmt: skip


def as_day(at: datetime) -> str:
    """Return a day as a form writes it."""
    return timezone.localdate(at).isoformat()
