"""The engine of offers: how long a thing stays on offer, and how long it waits for the one who takes it.

[offers]
days       = 30
hold_hours = 48
most       = 5                      # things a person may have on offer at once
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.engine import register_engine

ENGINE = "offers"
PROPOSALS = "proposals"
CLAIMS = "claims"


class OffersSettings(BaseModel):
    """The rules of a use case, the same for all who offer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(default=30, ge=1, le=90)
    hold_hours: int = Field(default=48, ge=1, le=168)
    most: int = Field(default=5, ge=1, le=50)


class ProposalsSettings(BaseModel):
    """A directory that grows by what places say of themselves: its `dataset`, and the `service` that looks first.

    `title`, `description` and `label` (of its question) are the words of the form. `offline`: its places are also on
    the page that opens without network. `need`: what is sent is not a place but a service someone lacks there; of
    where, only the street and the square of `coarse_m` metres are kept.

    [proposals]
    dataset = "lieux-solidaires"
    service = "solidarites"
    title   = "Inscrire un lieu"
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    service: str
    title: str
    description: str = ""
    label: str = ""
    offline: bool = False
    need: bool = False
    coarse_m: int = Field(default=100, ge=50, le=1000)


class ClaimsSettings(BaseModel):
    """A directory whose sheets are kept by those they tell of: an association, a shop, once they have proved it.

    `service` looks at proofs. `mail` is where an address is already known, by dataset: a column of it, or
    `dataset.column` of another that bears the same ids; who reads a code sent there has proved it. `proof` says what
    an agent asks for.

    [claims]
    service = "vie-associative"
    title   = "C’est mon association"
    proof   = "Le récépissé de la préfecture, ou le compte rendu qui vous élit."
    mail    = { associations = "contacts-associations.courriel" }
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    title: str
    proof: str
    mail: dict[str, str] = {}


def register() -> None:
    """Make the engines available to use cases."""
    register_engine(ENGINE, schema=OffersSettings, url_name="portal:offers", filled_by_people=True)
    register_engine(PROPOSALS, schema=ProposalsSettings, url_name="portal:proposal-new", filled_by_people=True)
    register_engine(CLAIMS, schema=ClaimsSettings, url_name="portal:directory", filled_by_people=True)


def proposals_rules(territory: str, use_case: str) -> ProposalsSettings | None:
    """Return how a use case takes proposals in a town, None where it takes none, or is not open."""
    if not territory:
        return None
    for one in catalogue.use_cases(territory=territory, states=OPEN_STATES):
        rules = one.use_case.settings.get(PROPOSALS)
        if one.use_case.id == use_case and isinstance(rules, ProposalsSettings):
            return rules
    return None


def claims_rules(territory: str, use_case: str) -> ClaimsSettings | None:
    """Return how the sheets of a directory are claimed in a town, None where they are not, or it is not open."""
    if not territory:
        return None
    for one in catalogue.use_cases(territory=territory, states=OPEN_STATES):
        rules = one.use_case.settings.get(CLAIMS)
        if one.use_case.id == use_case and isinstance(rules, ClaimsSettings):
            return rules
    return None


def takes_claims() -> bool:
    """Tell whether the files of this installation take any; no question to the registry."""
    known = catalogue.catalogue().use_cases.values()
    return any(one.state in OPEN_STATES and CLAIMS in one.settings for one in known)


def takes_proposals() -> bool:
    """Tell whether the files of this installation take any; no question to the registry."""
    known = catalogue.catalogue().use_cases.values()
    return any(one.state in OPEN_STATES and PROPOSALS in one.settings for one in known)


def rules_of(territory: str) -> OffersSettings | None:
    """Return the rules in force in a town, None where no open use case lets its people offer anything."""
    if not territory:
        return None
    for one in catalogue.use_cases(territory=territory, states=OPEN_STATES):
        rules = one.use_case.settings.get(ENGINE)
        if isinstance(rules, OffersSettings):
            return rules
    return None


def is_anywhere() -> bool:
    """Tell whether the files of this installation open such offers; no question to the registry."""
    known = catalogue.catalogue().use_cases.values()
    return any(one.state in OPEN_STATES and ENGINE in one.settings for one in known)
