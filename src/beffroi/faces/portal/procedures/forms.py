"""The forms of a procedure: one per step, made of what its file asks; the room judges each answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from beffroi.base.kernel.errors import BeffroiError
from beffroi.faces.portal.reports.forms import MandateForm
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.places import degrees_fields
from beffroi.faces.shell.procedures import corners_of, field_of, told
from beffroi.serve.procedures.answers import checked_answer
from beffroi.serve.procedures.declaration import Question

# After the code of an address: keep it as it was written, though no list knows it.
AS_WRITTEN = "_libre"


class StepForm(forms.Form):
    """The questions of one step that are asked to this person; `held` counts the files received for each."""

    def __init__(
        self,
        questions: Sequence[Question],
        data: Mapping[str, list[str]] | None = None,
        *,
        citycode: str,
        today: date,
        held: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.questions, self.today, self.held = tuple(questions), today, held or {}
        typed = None if data is None else MultiValueDict(dict(data))
        super().__init__(typed, auto_id="q_%s", **kwargs)
        for question in self.questions:
            field = field_of(question, citycode)
            if question.type == "file" and self.held.get(question.code):
                field.required = False
            self.fields[question.code] = field
            if question.type == "zone":
                # The marker of the map that the zone is drawn on.
                self.fields["lat"], self.fields["lon"] = degrees_fields()
            if question.type == "address":
                label = _(
                    "Garder cette adresse telle que je l’ai écrite : elle est récente, ou n’est pas dans la liste"
                )
                self.fields[question.code + AS_WRITTEN] = forms.BooleanField(label=label, required=False)

    @property
    def shown(self) -> list[tuple[Question | None, forms.BoundField]]:
        """Return the fields to show, each with its question; the way out of an unknown address, only once it is."""
        found: list[tuple[Question | None, forms.BoundField]] = []
        for question in self.questions:
            found.append((question, self[question.code]))
            loose = question.code + AS_WRITTEN
            if loose in self.fields and (question.code in self.errors or self.data.get(loose)):
                found.append((None, self[loose]))
        return found

    def _clean_fields(self) -> None:
        """Read what was typed; an address that its writer vouches for needs no place."""
        for question in self.questions:
            if question.type == "address" and self.data.get(question.code + AS_WRITTEN):
                self.fields[question.code] = _free_text(question)
        super()._clean_fields()  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        """Have the room judge each answer; its sentence is the one that is read."""
        values: dict[str, Any] = super().clean() or {}
        for question in self.questions:
            if question.type == "file" or question.code in self.errors:
                continue
            given = values.get(question.code)
            if isinstance(given, Address):
                given = {"label": given.label, "lon": given.lon, "lat": given.lat}
            try:
                if question.type == "zone":
                    given = corners_of(given)
                values[question.code] = checked_answer(question, given, today=self.today)
            except BeffroiError as error:
                self.add_error(question.code, told(error))
        return values

    def answers(self) -> dict[str, Any]:
        """Return the answers that hold, by code."""
        known = getattr(self, "cleaned_data", {})
        codes = [one.code for one in self.questions if one.type != "file"]
        return {code: known[code] for code in codes if known.get(code) is not None and code not in self.errors}


def _free_text(question: Question) -> forms.Field:
    return forms.CharField(label=gettext(question.label), help_text=gettext(question.help), required=question.required)


class SelfForm(forms.Form):
    """Who asks, for oneself."""

    name = forms.CharField(
        label=_("Nom et prénom"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("Adresse électronique"),
        help_text=_("Pour recevoir l’accusé de réception et les réponses."),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=_("Téléphone"),
        help_text=_("Si vous préférez que l’on vous appelle. L’un des deux suffit."),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def __init__(self, *args: Any, has_account: bool = False, **kwargs: Any) -> None:
        kwargs["auto_id"] = "vous_%s"
        super().__init__(*args, **kwargs)
        self.has_account = has_account

    def clean(self) -> dict[str, Any]:
        """Ask for a way to reach the person: her account is one."""
        values: dict[str, Any] = super().clean() or {}
        if not (self.has_account or self.errors or values.get("email") or values.get("phone")):
            self.add_error("email", _("Donnez une adresse électronique ou un téléphone : on doit vous joindre."))
        return values


class OtherForm(MandateForm):
    """For whom it is asked, by what right, by one who is signed in."""

    email = forms.EmailField(
        label=_("Son adresse électronique"),
        help_text=_("Si la personne en a une ; sinon, le reçu imprimé porte son lien de suivi."),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, for_agent: bool, **kwargs: Any) -> None:
        kwargs["auto_id"] = "vous_%s"
        super().__init__(*args, for_agent=for_agent, **kwargs)
