"""The engine of alerts: what a town tells of, by topic. A topic is a line of a use case's file.

[alerts]
driving = true                    # the page that answers « may I drive today? »

[[alerts.topic]]
code     = "circulation"
label    = "Circulation alternée ou différenciée"
category = "Transport"            # a category of CAP
message  = false                  # true: news (works, cost of a project), never a danger

[[example]]
when = { topic = "circulation", severity = "Moderate", area = "ici", follows = ["ici", "ailleurs", "commune"] }
then = { told = ["ici", "commune"], second_person = false }
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.engine import register_engine
from beffroi.serve.alerts.definition import CATEGORIES, ENGINE


class TopicSettings(BaseModel):
    """One thing people may be told of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    label: str
    category: str = "Other"
    message: bool = False

    @field_validator("category")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in CATEGORIES:
            raise ValueError(f"catégorie « {value} » inconnue ; choisissez parmi {', '.join(CATEGORIES)}")
        return value


class AlertsSettings(BaseModel):
    """What a use case tells of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: tuple[TopicSettings, ...] = ()
    driving: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic open in a town."""

    use_case: str
    code: str
    label: str
    category: str
    is_message: bool


def register() -> None:
    """Make the engine available to use cases."""
    from beffroi.serve.alerts.scenes import run_example

    register_engine(
        ENGINE, schema=AlertsSettings, url_name="portal:alerts-for", example_runner=run_example, filled_by_people=True
    )


def topics(territory: str) -> dict[str, Topic]:
    """Return the topics open in a town by code, in the order of their files."""
    found: dict[str, Topic] = {}
    if not territory:
        return found
    for view in catalogue.use_cases(territory=territory, states=OPEN_STATES):
        settings = view.use_case.settings.get(ENGINE)
        if isinstance(settings, AlertsSettings):
            for one in settings.topic:
                found.setdefault(one.code, Topic(view.use_case.id, one.code, one.label, one.category, one.message))
    return found


def tells_who_drives(territory: str) -> bool:
    """Tell whether a town answers « may I drive today? »."""
    if not territory:
        return False
    return any(
        isinstance(settings := view.use_case.settings.get(ENGINE), AlertsSettings) and settings.driving
        for view in catalogue.use_cases(territory=territory, states=OPEN_STATES)
    )


def is_anywhere() -> bool:
    """Tell whether the files of this installation open any alert; no question to the registry."""
    known = catalogue.catalogue().use_cases.values()
    return any(one.state in OPEN_STATES and ENGINE in one.settings for one in known)
