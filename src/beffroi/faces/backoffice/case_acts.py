"""What an agent may do to a request of any kind: an act, its form, where it may be done; the acts they all share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.faces.shell.requests import service_names
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import OPEN, Status
from beffroi.serve.cases.queries import CaseInfo

WORDS = forms.Textarea(attrs={"rows": 4})


class Info(Protocol):
    """What the room of a kind of request knows of one: at least the case it stands on."""

    @property
    def case(self) -> CaseInfo: ...

    @property
    def number(self) -> str: ...


@dataclass(frozen=True)
class Before:
    """One request before one agent, at one moment; a kind of request says which `info` it brings."""

    info: Info
    viewer: Viewer
    at: datetime

    @property
    def territory(self) -> str:
        """Return the code of its town."""
        return self.info.case.territory

    @cached_property
    def people(self) -> dict[int, str]:
        """Return the names of the agents of its service, by number; one query for the page and its forms."""
        case = self.info.case
        found = territory_queries.agents_of(case.territory, case.service, at=self.at)
        return {one.id: one.name or one.email for one in found}


class ActForm(forms.Form):
    """The form of an act; it is given the request to offer what makes sense for it."""

    def __init__(self, *args: Any, asked: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        self.offer()

    def offer(self) -> None:
        """Set the fields and choices that depend on the request."""

    def choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Set the choices of a field."""
        cast(forms.ChoiceField, self.fields[name]).choices = choices


class EmptyForm(ActForm):
    """Nothing more is asked."""


class NoteForm(ActForm):
    text = forms.CharField(label=gettext_lazy("Note, pour le service seulement"), widget=WORDS, max_length=4000)


class ReasonForm(ActForm):
    reason = forms.CharField(label=gettext_lazy("Motif"), max_length=1000)


class RouteForm(ActForm):
    service = forms.ChoiceField(label=gettext_lazy("Service"))
    reason = forms.CharField(label=gettext_lazy("Motif"), required=False, max_length=300)

    def offer(self) -> None:
        names = service_names(self.asked.territory)
        self.choose("service", [one for one in names.items() if one[0] != self.asked.info.case.service])


class AssignForm(ActForm):
    person = forms.ChoiceField(label=gettext_lazy("Agent"), required=False)

    def offer(self) -> None:
        people = [(str(number), name) for number, name in self.asked.people.items()]
        self.choose("person", [("", _("Personne")), *people])
        self.fields["person"].initial = str(self.asked.info.case.assignee or "")


Run = Callable[[Any, Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that may be done. `states`: where it is offered; `key` of the keyboard; `open`: shown unfolded."""

    title: str
    label: str
    done: str
    form: type[ActForm]
    run: Run
    states: frozenset[Status] = frozenset(OPEN)
    key: str = ""
    open: bool = False
    wanted: Callable[[Any], bool] = lambda _asked: True

    def offered(self, asked: Before) -> bool:
        """Tell whether it makes sense for this request, in its state."""
        return asked.info.case.status in self.states and self.wanted(asked)


def plain(run: Callable[..., object], *names: str, **fixed: Any) -> Run:
    """Return an act that calls an operation with the request's number and the fields of those names."""

    def act(asked: Before, values: Mapping[str, Any]) -> object:
        given = {name: values[name] for name in names}
        return run(number=asked.info.number, by=asked.viewer, at=asked.at, **given, **fixed)

    return act


def assign(asked: Before, values: Mapping[str, Any]) -> None:
    """Say which agent of the service follows a request, or that nobody does."""
    case = asked.info.case
    # The choices of the form are the agents of the service: the grant is known.
    grant = Grant(case.territory, Role.AGENT, frozenset({case.service}))
    to = Viewer(int(values["person"]), (grant,)) if values["person"] else None
    cases.assign_case(number=asked.info.number, to=to, by=asked.viewer, at=asked.at)


def reopen(asked: Before, values: Mapping[str, Any]) -> None:
    """Open a closed request again, with the reason given."""
    cases.reopen_case(number=asked.info.number, reason=values["reason"], viewer=asked.viewer, at=asked.at)
