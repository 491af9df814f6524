"""What a dataset file may say of how its rows are found by words. The lake only keeps it: `sense/places` reads it.

    [search]
    kind     = "place"                # address, street, place, event, organisation, document, none
    title    = ["enseigne", "nom"]    # the first that is not empty names the row
    category = "genre"                # what sort of thing it is: « Déchetterie »
    details  = ["adresse"]            # told under the title
    words    = ["activite"]           # other columns whose words find the row
    hours    = "horaires"
    start    = "debut"                # when an event begins

An address says its parts: `number`, `suffix`, `street`, `postcode`, `city`, `citycode`. What is not said is found out
from the names of columns.
"""

from __future__ import annotations

from dataclasses import dataclass

SEARCH_KINDS = ("address", "street", "place", "event", "organisation", "document", "none")


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How rows are found; empty: found out from the columns."""

    kind: str = ""
    title: tuple[str, ...] = ()
    category: str = ""
    details: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    hours: str = ""
    start: str = ""
    number: str = ""
    suffix: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    citycode: str = ""
