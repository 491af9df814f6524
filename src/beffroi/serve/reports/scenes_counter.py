"""The engine's example of help at the counter: one files for another, both names are kept, the file is followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beffroi.base.catalogue.definition import Example
from beffroi.base.journal import queries as journal
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import MandateKind, Requester
from beffroi.serve.reports.categories import Category, OpenCategory
from beffroi.serve.reports.intake import Submission, file_in
from beffroi.serve.reports.scenes import START, TOWN

_LON, _LAT = 3.8767, 43.6108


def live_help(use_case: str, example: Example) -> Mapping[str, Any]:
    """File a report for somebody by the mandate of an example, and return who is written down for what.

    `when.mandate` is a kind of mandate, `when.by` who helps (``agent`` or ``citoyen``), `when.name` who is helped,
    `when.reference` where the mandate is kept.
    """
    when = example.when
    helper = territory.create_person(email="aide@compte.invalid", name="Aide", at=START)
    grants = (Grant(TOWN, Role.AGENT, frozenset()),) if when.get("by") == "agent" else ()
    viewer = Viewer(helper, grants)
    category = OpenCategory(use_case, Category(code="exemple", label="Exemple", service="mairie"))
    try:
        mandate = cases.mandate_of(
            viewer, TOWN, MandateKind(str(when["mandate"])), reference=str(when.get("reference", ""))
        )
        opened = file_in(
            category,
            territory=TOWN,
            submission=Submission("exemple", _LON, _LAT, "Un trou devant chez moi."),
            requester=Requester(name=str(when.get("name", ""))),
            viewer=viewer,
            at=START,
            mandate=mandate,
        )
    except BeffroiError as error:
        return {"refused": error.where}
    info, party = case_queries.followed_case(opened.token)
    administrator = Viewer(None, (Grant(TOWN, Role.ADMINISTRATOR),))
    subject = f"case:{info.number}"
    event = next(one for one in journal.all_events(administrator) if one.subject == subject)
    return {
        "for": party.name,
        "filed_by_helper": party.filed_by == helper,
        "logged": event.payload["mandate"],
        "actor_is_helper": event.actor == helper,
        "followed_without_account": case_queries.case(ANONYMOUS, info.number, token=opened.token).number == info.number,
    }
