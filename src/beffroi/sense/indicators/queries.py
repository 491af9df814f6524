"""What may be asked of the indicators of a use case, cut to who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience, UseCase
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import PUBLIC, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import BadQuery, DatasetNotFound, DatasetRef
from beffroi.sense.indicators import figures
from beffroi.sense.indicators.computations import comparison_named, computation_named
from beffroi.sense.indicators.figures import MASKED, Answer, Line, Missing, Thing
from beffroi.sense.indicators.settings import Declared, Measure, Zones

__all__ = ["MASKED", "Answer", "Declared", "Line", "Measure", "Sheet", "Thing", "declared", "may_read",
           "open_indicators", "sheet", "zone_ids"]  # fmt: skip

MOST_ZONES = 5_000
_ROLES = {Audience.AGENT: Role.AGENT, Audience.ELECTED: Role.ELECTED}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The indicators of a use case: those answered, and for the others, by measure, what the town has not.

    `is_public`: everyone may read all of it, sources included. `notes` are what comparisons say of themselves.
    """

    answers: tuple[Answer, ...]
    missing: Mapping[str, tuple[str, ...]]
    is_public: bool
    notes: tuple[Sentence, ...] = ()

    def of(self, slug: str) -> Answer | None:
        """Return the answer of a measure, None when it is not answered."""
        return next((one for one in self.answers if one.measure.slug == slug), None)


def declared(use_case: UseCase) -> Declared | None:
    """Return the indicators a use case declares, None when it declares none."""
    found = use_case.settings.get("indicators")
    return found if isinstance(found, Declared) else None


def may_read(viewer: Viewer, territory: str, use_case: UseCase) -> bool:
    """Tell whether a viewer is of the public of a use case; administrators read what any of the staff does.

    A key without the scope of agents reads what everyone does.
    """
    if Audience.RESIDENT in use_case.audience:
        return True
    if viewer.scopes is not None and "data:agents" not in viewer.scopes:
        return False
    roles = {Role.ADMINISTRATOR, *(_ROLES[one] for one in use_case.audience if one in _ROLES)}
    return any(viewer.has(role, territory) for role in roles)


def open_indicators(viewer: Viewer, territory: str) -> list[UseCaseView]:
    """Return the open use cases that declare indicators this viewer may read, whose data the town has."""
    if not territory:
        return []
    found = catalogue.use_cases(territory=territory, states=OPEN_STATES)
    ours = [one for one in found if declared(one.use_case) and may_read(viewer, territory, one.use_case)]
    return catalogue.with_data(ours, territory)


def sheet(viewer: Viewer, territory: str, use_case: UseCase, *, only: str = "") -> Sheet:
    """Return the indicators of a use case as its reader may know them, or the measure of that slug alone.

    Raises:
        ValueError: it declares none; `declared` tells.
    """
    wanted = declared(use_case)
    if wanted is None:
        raise ValueError(f"{use_case.id} declares no indicator")
    if only:
        wanted = wanted.model_copy(update={"measures": tuple(one for one in wanted.measures if one.slug == only)})
    return sheet_of(viewer, territory, wanted, is_open=Audience.RESIDENT in use_case.audience)


def sheet_of(viewer: Viewer, territory: str, wanted: Declared, *, is_open: bool) -> Sheet:
    """Return what these indicators give a reader; `is_open`: their page is everyone's."""
    names = _names(viewer, territory, wanted.zones)
    answers: list[Answer] = []
    missing: dict[str, tuple[str, ...]] = {}
    notes: list[Sentence] = []
    for measure in wanted.measures:
        try:
            answer, said = _answer(viewer, territory, measure, names)
        except Missing as lacking:
            missing[measure.slug] = lacking.slugs
            continue
        answers.append(answer)
        notes += [one for one in said if one not in notes]
    open_data = all(one.access == PUBLIC for answer in answers for one in answer.sources)
    return Sheet(tuple(answers), missing, is_open and open_data, tuple(notes))


def _answer(
    viewer: Viewer, territory: str, measure: Measure, names: Mapping[str, str]
) -> tuple[Answer, list[Sentence]]:
    reader = figures.eyes(viewer, territory, measure)
    if measure.formula == "function":
        computed = computation_named(measure.function)(reader, territory, measure)
    else:
        computed = figures.by_columns(reader, territory, measure, figures.beside_columns(measure))
    # Who reads each thing behind the figures loses nothing by reading them all.
    each = measure.read_as == "agents" and reader is viewer
    answer = figures.answered(measure.model_copy(update={"least": 0}) if each else measure, computed, names)
    if reader is not viewer:
        # Figures of what agents alone read are told to others under a threshold; what stands behind them is not.
        answer = replace(answer, things=())
    found, notes, others = [], [], list(answer.sources)
    for beside in measure.besides:
        if beside.function:
            by_code = comparison_named(beside.function)(reader, territory, answer)
            found.append(by_code.values)
            notes += [by_code.note] if by_code.note else []
            others += by_code.sources
        else:
            found.append(figures.set_beside(reader, territory, beside, answer, computed))
            if beside.dataset and found[-1]:
                others.append(lake.dataset(reader, DatasetRef(territory, beside.dataset)).summary)
    sources = tuple({one.ref: one for one in others}.values())
    return replace(figures.with_besides(answer, found), sources=sources), notes


def _names(viewer: Viewer, territory: str, zones: Zones | None) -> dict[str, str]:
    if zones is None:
        return {}
    try:
        found = lake.rows(
            viewer, DatasetRef(territory, zones.dataset), columns=[zones.key, zones.name], max_rows=MOST_ZONES
        )
    except (DatasetNotFound, BadQuery):
        return {}
    return {str(key): str(name) for key, name in found.rows if key is not None and name}


def zone_ids(viewer: Viewer, territory: str, zones: Zones) -> dict[str, str]:
    """Return what lines name each zone by, by the id of its feature: to draw the lines on the map."""
    try:
        found = lake.rows(viewer, DatasetRef(territory, zones.dataset), columns=["_id", zones.key], max_rows=MOST_ZONES)
    except (DatasetNotFound, BadQuery):
        return {}
    return {str(feature): str(key) for feature, key in found.rows if key is not None}
