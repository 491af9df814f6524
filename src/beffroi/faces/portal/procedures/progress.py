"""How far a form has come: its steps for this person, what holds in each, and the first that does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import AGENTS
from beffroi.faces.portal.procedures.forms import OtherForm, SelfForm, StepForm
from beffroi.faces.shell.access import Request
from beffroi.serve.procedures import queries
from beffroi.serve.procedures.declaration import CHECK_STEP, WHO_STEP, Procedure, Step
from beffroi.serve.procedures.queries import DraftInfo, OpenProcedure


@dataclass(frozen=True, slots=True)
class Page:
    """One step of the form as this person meets it."""

    code: str
    title: str
    step: Step | None
    form: forms.Form


@dataclass
class Progress:
    """A draft read whole, with what the reader's place allows."""

    request: Request
    chosen: OpenProcedure
    draft: DraftInfo
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def procedure(self) -> Procedure:
        """Return what is asked for."""
        return self.chosen.procedure

    @cached_property
    def pages(self) -> list[Page]:
        """Return the steps in order; one that asks this person nothing is left out. Fills `answers` on the way."""
        found = []
        held = Counter(one["purpose"] for one in self.draft.files)
        for step in self.procedure.step:
            asked = [one for one in step.field if queries.is_asked(one, self.answers)]
            if not asked:
                continue
            form = StepForm(
                asked, self.draft.typed.get(step.code), citycode=self.draft.territory, today=self.today, held=held
            )
            form.is_valid()
            self.answers |= form.answers()
            found.append(Page(step.code, _(step.title), step, form))
        if self.procedure.people is not None and not self.draft.for_other:
            # The card says who, sealed: nothing more is asked that would be kept in clear.
            return found
        found.append(Page(WHO_STEP, _("La personne") if self.draft.for_other else _("Vous"), None, self.who))
        return found

    @cached_property
    def today(self) -> date:
        """Return the day of the page."""
        return timezone.localdate()

    @cached_property
    def who(self) -> SelfForm | OtherForm:
        """Return the form that says who asks, filled with what her account knows until she types."""
        typed = self.draft.typed.get(WHO_STEP)
        data = None if typed is None else MultiValueDict({name: list(values) for name, values in typed.items()})
        viewer = self.request.viewer
        if self.draft.for_other:
            return OtherForm(data, for_agent=AGENTS in viewer.clearances(self.draft.territory))
        known: Mapping[str, str] = {}
        if viewer.person_id is not None and data is None:
            person = territory_queries.person(viewer.person_id)
            known = {"name": person.name, "email": person.email}
        return SelfForm(data, has_account=viewer.person_id is not None, initial=dict(known))

    def page(self, code: str) -> Page | None:
        """Return one step, None when this person is not asked it."""
        return next((one for one in self.pages if one.code == code), None)

    @property
    def first_wrong(self) -> Page | None:
        """Return the first step that is not answered or does not hold, None when all do."""
        return next((one for one in self.pages if not one.form.is_valid()), None)

    def after(self, code: str) -> str:
        """Return the step that follows, the check after the last."""
        codes = [one.code for one in self.pages]
        place = codes.index(code) + 1 if code in codes else 0
        return codes[place] if place < len(codes) else CHECK_STEP

    def before(self, code: str) -> str:
        """Return the step before, "" before the first."""
        codes = [one.code for one in self.pages]
        place = len(codes) if code == CHECK_STEP else codes.index(code) if code in codes else 0
        return codes[place - 1] if place else ""

    def number(self, code: str) -> int:
        """Return the rank of a step, from one."""
        codes = [one.code for one in self.pages]
        return (codes.index(code) if code in codes else len(codes)) + 1

    @property
    def titles(self) -> list[str]:
        """Return the titles of the steps, the check included."""
        return [*(one.title for one in self.pages), _("Vérifier et envoyer")]
