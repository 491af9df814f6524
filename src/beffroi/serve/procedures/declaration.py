"""What a procedure is: the `[procedures]` table of a use case file. Knows no database; see docs/rooms/procedures.md.

[procedures]
service = "proprete"
due     = "dechets.livraison-bac"          # a rule of rules/: by when the town promises to answer
who     = "Tout foyer de la commune."
cost    = "Gratuit."
visit   = "Livraison"                      # what happens on the planned day

[procedures.silence]
means   = "rejet"                          # accord, rejet: what silence is worth
rule    = "administration.silence-vaut-rejet"

[procedures.notice]                        # RGPD art. 13
purpose = "Livrer et reprendre les bacs."
kept_months = 12

[[procedures.step]]
code  = "foyer"
title = "Votre foyer"

[[procedures.step.field]]
code  = "personnes"
label = "Combien de personnes vivent chez vous ?"
type  = "number"                           # text, long, choice, date, number, address, yes-no, file
unit  = "personnes"
min   = 1
when  = { field = "demande", among = ["premier"] }      # a field of an earlier step
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import NotFound
from beffroi.serve.procedures import checks

ENGINE = "procedures"
CODE = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Code = Annotated[str, Field(pattern=CODE, max_length=40)]
FILES_MOST = 5
# The question whose answer is drawn on a map.
ZONE = "zone"
# Steps of the form that every procedure has: their names are taken.
WHO_STEP, CHECK_STEP = "vous", "verifier"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Frozen):
    """When a question is asked: an earlier one has one of these answers (``oui``, ``non`` for a yes-no)."""

    field: Code
    among: tuple[str, ...] = Field(min_length=1)


class Question(_Frozen):
    """One thing asked. `unit` is said beside a number; the days of a date are counted from the day it is sent."""

    code: Code
    label: str = Field(min_length=2, max_length=200)
    type: Literal["text", "long", "choice", "date", "number", "address", "yes-no", "file", "zone"] = "text"
    required: bool = True
    help: str = Field(default="", max_length=400)
    # Why it is asked: shown with each document.
    why: str = Field(default="", max_length=300)
    choices: dict[str, str] = Field(default_factory=dict)
    unit: str = Field(default="", max_length=20)
    min: float | None = None
    max: float | None = None
    decimals: int = Field(default=0, ge=0, le=3)
    from_days: int | None = None
    to_days: int | None = None
    accept: tuple[Literal["photo", "pdf"], ...] = ("photo", "pdf")
    most: int = Field(default=2, ge=1, le=FILES_MOST)
    # A document that an account may keep for its next requests, at its own wish, for so many months.
    reuse_months: int = Field(default=0, ge=0, le=24)
    when: Condition | None = None

    @model_validator(mode="after")
    def _of_its_type(self) -> Question:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"le champ « {self.code} » : un choix, et lui seul, a des « choices »")
        if self.type != "number" and (self.unit or self.min is not None or self.max is not None):
            raise ValueError(f"le champ « {self.code} » : « unit », « min » et « max » sont ceux d’un nombre")
        if (self.type == "zone") != (self.code == ZONE):
            raise ValueError(f"le champ « {self.code} » : une zone, et elle seule, se nomme « {ZONE} »")
        if self.reuse_months and self.type != "file":
            raise ValueError(f"le champ « {self.code} » : « reuse_months » est celui d’une pièce")
        if self.type == "file" and (not self.why or len(self.code) > 20):
            raise ValueError(
                f"la pièce « {self.code} » : dites « why », à quoi elle sert, et nommez-la en vingt lettres au plus"
            )
        return self


class Step(_Frozen):
    """One page of the form."""

    code: Code
    title: str = Field(min_length=2, max_length=80)
    help: str = Field(default="", max_length=400)
    field: tuple[Question, ...] = Field(min_length=1)


class Band(_Frozen):
    """One step of a scale: up to that number, included; without one, beyond the others."""

    up_to: float | None = None
    label: str = Field(min_length=1, max_length=80)


class Proposal(_Frozen):
    """What the answers lead the town to propose, by a rule that is told: a size of bin by the size of the household."""

    label: str = Field(min_length=2, max_length=80)
    by: Code
    how: str = Field(min_length=10, max_length=300)
    band: tuple[Band, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _a_scale(self) -> Proposal:
        *bounded, last = [one.up_to for one in self.band]
        if last is not None or None in bounded or bounded != sorted(set(bounded), key=lambda one: one or 0):
            raise ValueError("« proposal.band » : des bornes « up_to » croissantes, et la dernière tranche sans borne")
        return self

    def of(self, number: float) -> str:
        """Return what is proposed for a number."""
        return next(one.label for one in self.band if one.up_to is None or number <= one.up_to)


class Fee(_Frozen):
    """What a request will cost, by a dated tariff of `rules/`: told before it is sent, with how it was reached.

    `means` names the number that the tariff goes by (family quotient, resources of a month), `children` the number of
    dependent children, `lives` the yes-no that tells who lives in the town; `proof` the document that attests `means`,
    `checked` the finding that replaces it.
    """

    code: Code
    label: str = Field(min_length=2, max_length=80)
    tariff: str
    means: Code
    children: Code = ""
    lives: Code = ""
    proof: Code = ""
    checked: Code = ""
    when: Condition | None = None

    @field_validator("tariff")
    @classmethod
    def _known_tariff(cls, tariff: str) -> str:
        try:
            clock.tariff(tariff)
        except NotFound as error:
            raise ValueError(str(error)) from error
        return tariff


class Silence(_Frozen):
    """What the silence of the town is worth once its time has passed. Source: CRPA, art. L231-1 and L231-4."""

    means: Literal["accord", "rejet"]
    rule: str
    because: str = Field(default="", max_length=200)

    @field_validator("rule")
    @classmethod
    def _known_rule(cls, rule: str) -> str:
        return known_rule(rule)


class Decision(_Frozen):
    """One way an agent may end a request. `letter` is what the person reads, to be completed; `needs` names findings.

    `appeal`: it can be challenged, hence its author, the remedies and their time are told (CRPA, art. L212-2; CJA,
    art. R421-5).
    """

    code: Code
    label: str = Field(min_length=2, max_length=80)
    outcome: Literal["done", "refused", "elsewhere"]
    letter: str = Field(min_length=10, max_length=1500)
    needs: tuple[Code, ...] = ()
    # The letter given is only a beginning: the reason is written by hand (CRPA, art. L211-2).
    reason: bool = False
    appeal: bool = False
    delivers: bool = False
    reopen_days: int = Field(default=0, ge=0, le=60)


class Delivery(_Frozen):
    """The document handed out at the end. `facts` names answers and findings printed on it."""

    title: str = Field(min_length=2, max_length=120)
    text: str = Field(min_length=10, max_length=2000)
    article: str = Field(default="", max_length=300)
    facts: tuple[Code, ...] = ()
    valid_years: int | None = Field(default=None, ge=1, le=50)


class Agenda(_Frozen):
    """The dataset of the events of the town, and its columns."""

    dataset: Code = "evenements"
    title: str = "titre"
    first: str = "debut"
    last: str = "fin"
    place: str = "lieu"


class Closing(_Frozen):
    """What an answer of the service closes in the streets of the zone, and to whom (see `mobility.works`)."""

    who: tuple[Literal["foot", "bicycle", "car", "lorry"], ...] = ()
    alternate: bool = False


class Site(_Frozen):
    """A request that takes a zone of the public space for some days: it is compared with all that is there then.

    `zone`, `named`, `first`, `last`, `street` and `digs` name questions. `remade` names a finding: the surface is made
    again, and is not to be opened before `again_years`. `closing` names the finding whose answers `closes` knows.
    """

    zone: Literal["zone"] = "zone"
    # A choice whose answer names the works to everyone.
    named: Code
    first: Code
    last: Code
    street: Code = ""
    digs: Code = ""
    remade: Code = ""
    closing: Code = ""
    closes: dict[str, Closing] = Field(default_factory=dict)
    # What stands within so many metres of the zone is at the same place.
    buffer_m: float = Field(default=15, ge=0, le=200)
    # A choice of the town: no law sets it.
    again_years: int = Field(default=3, ge=0, le=15)
    agenda: Agenda | None = None


class Criterion(_Frozen):
    """What passes before on a waiting list: a question answered in one of these ways."""

    label: str = Field(min_length=2, max_length=120)
    field: Code
    among: tuple[str, ...] = Field(min_length=1)


class Waiting(_Frozen):
    """A list on which requests wait for a place, by criteria that are told; `offer_days` to answer an offer."""

    what: str = Field(min_length=2, max_length=60)
    criterion: tuple[Criterion, ...] = ()
    offer_days: int = Field(default=15, ge=1, le=90)
    # Which requests wait; all of them without it.
    when: Condition | None = None


class Passages(_Frozen):
    """A home looked after while its people are away: who passes, between which days, what may be noted.

    `first`, `last`, `address`, `inside` and `by` name questions. Who passes is of the service, but for the answers of
    `by` that `handed` names: the person then hands a link to the one she chose. What is noted is one of `choices`; one
    of `calm` calls for nothing more. All of it is erased `keep_days` after the end.
    """

    first: Code
    last: Code
    address: Code
    by: Code
    inside: Code = ""
    handed: tuple[str, ...] = ()
    every_days: int = Field(default=2, ge=1, le=14)
    keep_days: int = Field(default=7, ge=1, le=31)
    choices: dict[str, str] = Field(min_length=2)
    calm: tuple[str, ...] = Field(min_length=1)


class Register(_Frozen):
    """A register of people that the requests of a procedure enter, at their wish (`register.py`).

    `name`, `phone`, `address` name the questions that tell who and where; `by` the choice of who asks, and `oneself`
    its answers that are the person herself. `category` names the choice that reports count; `choices` are the needs
    that a call may find or a person ask for. `also` is another register of the same service, entered too by who
    answers yes to `also_if`.
    """

    name: Code
    phone: Code
    address: Code
    by: Code
    oneself: tuple[str, ...] = Field(min_length=1)
    category: Code
    choices: dict[str, str] = Field(min_length=1)
    helper: bool = False
    also: str = ""
    also_if: Code = ""


class DueBy(_Frozen):
    """The delay promised, by an answer to a choice: its rules by code of that answer; `due` for the others."""

    field: Code
    rules: dict[str, str] = Field(min_length=1)

    @field_validator("rules")
    @classmethod
    def _known_rules(cls, rules: dict[str, str]) -> dict[str, str]:
        return {answer: known_rule(rule) for answer, rule in rules.items()}


class Contact(_Frozen):
    """Whom to ask; what a file leaves out is the town hall's."""

    address: str = Field(default="", max_length=200)
    phone: str = Field(default="", max_length=30)
    email: str = Field(default="", max_length=120)


class Notice(_Frozen):
    """Why the answers are kept and until when. Source: RGPD, art. 13."""

    purpose: str = Field(min_length=10, max_length=300)
    article: str = Field(default="RGPD, art. 6-1 e (mission d’intérêt public)", max_length=200)
    kept_months: int = Field(default=24, ge=1, le=24)


class Procedure(_Frozen):
    """The whole of a procedure, as its file states it."""

    service: Code
    due: str = ""
    due_by: DueBy | None = None
    who: str = Field(min_length=5, max_length=400)
    cost: str = Field(default="Gratuit.", max_length=200)
    article: str = Field(default="", max_length=300)
    on_paper: str = Field(default="", max_length=300)
    visit: str = Field(default="Rendez-vous", max_length=60)
    keywords: tuple[str, ...] = ()
    account: bool = False
    contact: Contact = Contact()
    silence: Silence | None = None
    notice: Notice
    step: tuple[Step, ...] = Field(min_length=1)
    proposal: Proposal | None = None
    fee: tuple[Fee, ...] = ()
    finding: tuple[Question, ...] = ()
    decision: tuple[Decision, ...] = Field(min_length=1)
    delivery: Delivery | None = None
    site: Site | None = None
    waiting: Waiting | None = None
    passages: Passages | None = None
    people: Register | None = None
    # Answers are kept sealed: whoever holds the registry alone does not read them.
    sealed: bool = False

    @field_validator("due")
    @classmethod
    def _known_rule(cls, due: str) -> str:
        return known_rule(due) if due else due

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> Procedure:
        _check_codes(self)
        checks.check_conditions(self)
        findings = {one.code for one in self.finding}
        for decision in self.decision:
            if missing := set(decision.needs) - findings:
                raise ValueError(f"la décision « {decision.code} » : constat « {min(missing)} » inconnu")
            if decision.delivers and self.delivery is None:
                raise ValueError(f"la décision « {decision.code} » remet un document que « delivery » ne décrit pas")
        known = findings | {one.code for one in self.questions()}
        if self.delivery and (missing := set(self.delivery.facts) - known):
            raise ValueError(f"« delivery.facts » : « {min(missing)} » n’est ni une question ni un constat")
        by = self.question(self.proposal.by) if self.proposal else None
        if self.proposal and (by is None or by.type != "number"):
            raise ValueError("« proposal.by » nomme une question qui demande un nombre")
        checks.check_site(self)
        checks.check_waiting(self)
        checks.check_fees(self)
        checks.check_passages(self)
        return self

    def due_for(self, answers: Mapping[str, Any]) -> str:
        """Return the rule of the delay promised to one who gave these answers."""
        told = self.due_by
        return (told.rules.get(str(answers.get(told.field))) if told else None) or self.due

    def questions(self) -> Iterator[Question]:
        """Yield every question, in order."""
        for step in self.step:
            yield from step.field

    def question(self, code: str) -> Question | None:
        """Return the question or the finding of that code."""
        return next((one for one in (*self.questions(), *self.finding) if one.code == code), None)

    def decision_named(self, code: str) -> Decision | None:
        """Return the decision of that code."""
        return next((one for one in self.decision if one.code == code), None)

    @property
    def documents(self) -> list[Question]:
        """Return the documents asked for."""
        return [one for one in self.questions() if one.type == "file"]


class Tools(_Frozen):
    """The table of a use case that describes no procedure and only uses them all, such as the counter."""

    tools: tuple[Literal["counter"], ...] = Field(min_length=1)


def settings_of(table: Mapping[str, Any]) -> Procedure | Tools:
    """Return what the table of a use case says.

    Raises:
        ValidationError: a key is missing, unknown or cannot have that value.
    """
    return Tools.model_validate(table) if set(table) == {"tools"} else Procedure.model_validate(table)


def known_rule(rule: str) -> str:
    """Return the name of a rule of `rules/`.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        clock.rule(rule)
    except NotFound as error:
        raise ValueError(str(error)) from error
    return rule


def _check_codes(procedure: Procedure) -> None:
    for what, codes in (
        ("étapes", [one.code for one in procedure.step]),
        ("questions", [one.code for one in (*procedure.questions(), *procedure.finding)]),
        ("décisions", [one.code for one in procedure.decision]),
    ):
        if len(set(codes)) != len(codes):
            raise ValueError(f"deux {what} portent le même code")
    if {WHO_STEP, CHECK_STEP} & {one.code for one in procedure.step}:
        raise ValueError(
            f"« {WHO_STEP} » et « {CHECK_STEP} » sont les étapes de toute démarche : nommez la vôtre autrement"
        )
    if any(one.type in ("file", "address") for one in procedure.finding):
        raise ValueError("un constat est un texte, un choix, une date, un nombre, un oui ou un non")
