"""The procedures that a town has opened, read from the files of the use cases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from beffroi.base.catalogue import engine as catalogue_engine
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, UseCase
from beffroi.base.kernel.words import folded
from beffroi.serve.procedures.declaration import ENGINE, Procedure
from beffroi.serve.procedures.definition import OpenProcedure, UnknownProcedure


def open_procedures(territory: str) -> Mapping[str, OpenProcedure]:
    """Return the procedures open in a town, by use case; one query."""
    if not territory:
        return {}
    return _opened(
        territory, catalogue.states_stamp(), catalogue_engine.generation(), catalogue.catalogue().fingerprint
    )


@lru_cache(maxsize=256)
def _opened(territory: str, _stamp: int, _generation: int, _fingerprint: str) -> Mapping[str, OpenProcedure]:
    views = catalogue.use_cases(territory=territory, engine_name=ENGINE, states=OPEN_STATES)
    found = (as_open(view.use_case) for view in views)
    return {one.use_case: one for one in found if one is not None}


def forget_procedures() -> None:
    """Have the open procedures read again at the next question."""
    _opened.cache_clear()


def as_open(use_case: UseCase) -> OpenProcedure | None:
    """Return the procedure that a use case declares, whether or not a town opened it."""
    declared = use_case.settings.get(ENGINE)
    if not isinstance(declared, Procedure):
        return None
    return OpenProcedure(use_case.id, use_case.title, use_case.need, use_case.themes, declared)


def procedure_for(territory: str, use_case: str) -> OpenProcedure:
    """Return one procedure open in a town.

    Raises:
        UnknownProcedure: there is none of that name.
    """
    found = open_procedures(territory).get(use_case)
    if found is None:
        raise UnknownProcedure(
            "la démarche « {id} » n’est pas ouverte dans la commune",
            remedy="la liste des démarches est à l’adresse /demarches/",
            id=use_case[:40],
        )
    return found


def declared(use_case: str) -> OpenProcedure | None:
    """Return what the files say of a procedure, open or retired; None when they say it no more."""
    known = catalogue.catalogue().use_cases.get(use_case)
    return None if known is None else as_open(known)


def found_by_words(procedures: Mapping[str, OpenProcedure], text: str) -> dict[str, OpenProcedure]:
    """Return the procedures in which every word of `text` is found, accents and case aside."""
    wanted = folded(text).split()

    def words(one: OpenProcedure) -> str:
        return folded(" ".join((one.title, one.need, *one.procedure.keywords)))

    return {key: one for key, one in procedures.items() if all(word in words(one) for word in wanted)}
