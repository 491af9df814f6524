"""The engines of the portal: `access` (G-02) and `portal` (G-01, 6-01, 6-23).

[portal]
entries = ["search", "themes", "services", "map", "data"]

[[example]]
when = { theme = "mobilites" }
then = { themes = 12, on_the_map = true, title = "Mobilités" }

[portal]
page = "application"

[[example]]
when = { notification = "Un agent l’a prise en charge." }
then = { device_reads = "Un agent l’a prise en charge.", relay_reads = false }

[[example]]
when = { visits = ["2026-03-30", "2026-03-31", "2026-03-31", "2026-04-01"] }
then = { days = 3, months = 2 }

[portal]
page = "own-requests"

[[example]]
when = { asked = ["bills", "report", "procedure", "booking"] }
then = { joined = ["procedure", "report", "booking", "bills"] }

[access]
views = ["resident", "technician", "official"]

[[example]]
when = { source = "nom,lon,lat,releve_par\\nTilleul,3.88,43.61,L. Martin\\n", restricted = { releve_par = "agents" } }
then = { citoyen = ["lat", "lon", "nom"], agent = ["lat", "lon", "nom", "releve_par"] }
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine

_TOWN = "00000"
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class PortalSettings(BaseModel):
    """`page` is where the use case is used; `entries` are the ways in that the home page offers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Literal["home", "application", "own-requests"] = "home"
    entries: list[Literal["search", "themes", "services", "map", "data"]] = Field(default=[])

    @model_validator(mode="after")
    def _home_has_entries(self) -> Self:
        if self.page == "home" and not self.entries:
            raise ValueError('page = "home" has no way in; name some in `entries`')
        return self


class AccessSettings(BaseModel):
    """`views` are the ready views offered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    views: list[Literal["resident", "technician", "official"]] = Field(min_length=1)


def register() -> None:
    """Make both engines available; each has its page."""
    register_engine("access", schema=AccessSettings, url_name="portal:views", example_runner=run_example)
    register_engine("portal", schema=PortalSettings, url_name=_page_of, example_runner=run_portal)


def _page_of(use_case: UseCase) -> str:
    return f"portal:{use_case.settings['portal'].page}"


def run_portal(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Do what an example of the portal says, by what it gives: a theme, a notification, visits, what was asked."""
    runners = {
        "theme": run_entries,
        "notification": run_notification,
        "visits": run_visits,
        "asked": run_requests,
    }
    return next(run for key, run in runners.items() if key in example.when)(use_case, example)


def run_notification(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Encrypt a notification for a device made here; return what the device reads, and whether its relay could."""
    from cryptography.hazmat.primitives.asymmetric import ec

    from beffroi.serve.cases.push import protocol

    said = str(example.when["notification"]).encode()
    device, (own, salt) = ec.generate_private_key(ec.SECP256R1()), protocol.new_message_key()
    secret = protocol.packed(bytes(16))
    body = protocol.encrypted(
        said, to=protocol.packed(protocol.point(device.public_key())), secret=secret, own=own, salt=salt
    )
    return {
        "device_reads": protocol.deciphered(body, key=device, secret=secret).decode(),
        "relay_reads": said in body,
    }


def run_requests(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return, of what may be `asked` of the town, what joins the page of one's requests, in the order it is shown."""
    # What joins the page registers itself in modules that the addresses import.
    from beffroi.faces.portal import urls as urls
    from beffroi.faces.portal.own_requests import known_sections

    return {"joined": [name for name in known_sections() if name in example.when["asked"]]}


def run_visits(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return what one device that opens the portal on these days adds to the days, and to the months."""
    from beffroi.base.catalogue.presence import first_day_of
    from beffroi.base.catalogue.queries import Span

    days = [date.fromisoformat(str(day)) for day in example.when["visits"]]
    return {f"{span.value}s": len({first_day_of(span, day) for day in days}) for span in Span}


def run_entries(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return the themes of the portal, and whether the map opens on the `theme` asked."""
    from beffroi.base.catalogue.queries import themes
    from beffroi.faces.portal.showing import asked_of_map, themes_of_map

    ours = [one.slug for one in themes() if one.workshop]
    asked = asked_of_map({"theme": str(example.when["theme"])})
    return {
        "themes": len(ours),
        "on_the_map": sorted(ours) == sorted(slug for slug, _title in themes_of_map()),
        "title": asked.theme_title,
    }


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Publish `source` with `restricted` columns in a lake of its own; return the columns each public receives."""
    from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
    from beffroi.lake import operations, rights
    from beffroi.lake.definitions import Definition, restricted
    from beffroi.lake.store import DatasetRef, Lake

    readers = {
        "citoyen": ANONYMOUS,
        "elu": Viewer(1, (Grant(_TOWN, Role.ELECTED),)),
        "agent": Viewer(1, (Grant(_TOWN, Role.AGENT),)),
        "agent_du_service": Viewer(1, (Grant(_TOWN, Role.AGENT, frozenset({"voirie"})),)),
    }
    definition = restricted(
        Definition("exemple"), str(example.when.get("access", "public")), example.when["restricted"]
    )
    with tempfile.TemporaryDirectory(prefix="beffroi-") as folder:
        lake, source = Path(folder) / "lake", Path(folder) / "exemple.csv"
        source.write_text(str(example.when["source"]), encoding="utf-8")
        outcome = operations.import_source(
            source, territory=_TOWN, at=_DAY, definition=definition, lake=lake, announce=False
        )
        home, ref = Lake(lake), DatasetRef(_TOWN, "exemple")
        force = home.in_force(ref)
        columns = rights.in_force(home.manifest(ref, str(outcome.version)).columns, dict(force.columns))
        received = {name: viewer.clearances(_TOWN) for name, viewer in readers.items()}
        return {
            name: sorted(column.key for column in rights.visible(columns, classes)) if force.access in classes else []
            for name, classes in received.items()
        }
