"""The words of catalogues: licences, rhythms, themes and formats as the URIs that harvesters know.

Sources: licences accepted by data.gouv.fr (DINUM, 2024); frequency, data-theme and file-type authority tables of the
Publications Office of the European Union (2024).
"""

from __future__ import annotations

import unicodedata

_AUTHORITY = "http://publications.europa.eu/resource/authority/"

# Looked for in the words of a licence, without accents or capitals; the first that is found wins.
_LICENCES = (
    (("odbl", "open database license"), "http://opendatacommons.org/licenses/odbl/1.0/"),
    (
        ("licence ouverte", "open licence", "etalab", "lov2", "fr-lo"),
        "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
    ),
    (("cc0", "cc zero"), "https://creativecommons.org/publicdomain/zero/1.0/"),
    (("cc by-sa", "cc-by-sa"), "https://creativecommons.org/licenses/by-sa/4.0/"),
    (("cc by", "cc-by"), "https://creativecommons.org/licenses/by/4.0/"),
    (("domaine public", "public domain"), "https://creativecommons.org/publicdomain/mark/1.0/"),
)
_RHYTHMS = (
    (("temps reel", "continu", "live"), "CONT"),
    (("quotidien", "journalier", "chaque jour", "daily"), "DAILY"),
    (("hebdomadaire", "chaque semaine", "weekly"), "WEEKLY"),
    (("bimensuel",), "BIWEEKLY"),
    (("trimestriel", "quarterly"), "QUARTERLY"),
    (("semestriel",), "ANNUAL_2"),
    (("bimestriel",), "BIMONTHLY"),
    (("mensuel", "chaque mois", "monthly"), "MONTHLY"),
    (("bisannuel", "biennal"), "BIENNIAL"),
    (("annuel", "chaque annee", "yearly"), "ANNUAL"),
    (("ponctuel", "irregulier", "au fil", "selon"), "IRREG"),
)
_THEMES = {
    "mobilites": "TRAN", "mobilite": "TRAN", "deplacements": "TRAN", "transport": "TRAN", "voirie": "TRAN",
    "nature": "ENVI", "environnement": "ENVI", "dechets": "ENVI", "eau": "ENVI", "risques": "ENVI",
    "energie": "ENER", "sante": "HEAL", "education": "EDUC", "culture": "EDUC", "sport": "EDUC",
    "economie": "ECON", "commerce": "ECON", "finances": "ECON", "social": "SOCI", "population": "SOCI",
    "logement": "SOCI", "securite": "JUST", "urbanisme": "REGI", "territoire": "REGI", "batiments": "REGI",
    "cadastre": "REGI", "citoyennete": "GOVE", "administration": "GOVE", "vie-municipale": "GOVE",
    "habitat": "SOCI", "solidarites": "SOCI", "proprete": "ENVI", "sport-loisirs": "EDUC", "vie-locale": "GOVE",
    "numerique": "TECH", "agriculture": "AGRI",
}  # fmt: skip
FILE_TYPES = {
    "csv": "CSV", "geojson": "GEOJSON", "gpkg": "GPKG", "xlsx": "XLSX", "parquet": "PARQUET", "gpx": "GPX",
    "dxf": "DXF",
}  # fmt: skip


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in plain if not unicodedata.combining(mark))


def licence_uri(licence: str) -> str | None:
    """Return the URI of a licence written in words, None when it is not one that harvesters know.

    >>> licence_uri("Licence Ouverte 2.0")
    'https://www.etalab.gouv.fr/licence-ouverte-open-licence'
    """
    words = _folded(licence)
    return next((uri for names, uri in _LICENCES if any(name in words for name in names)), None)


def frequency_uri(rhythm: str) -> str:
    """Return the URI of a rhythm written in French words.

    >>> frequency_uri("annuel").rpartition("/")[2]
    'ANNUAL'
    """
    words = _folded(rhythm)
    code = next((code for names, code in _RHYTHMS if any(name in words for name in names)), "UNKNOWN")
    return f"{_AUTHORITY}frequency/{code}"


def theme_uri(theme: str) -> str | None:
    """Return the URI of the European theme that a theme of the house falls under, None when none is known."""
    code = _THEMES.get(theme)
    return None if code is None else f"{_AUTHORITY}data-theme/{code}"


def file_type_uri(format: str) -> str | None:
    """Return the URI of a file format, None when the European table has none."""
    code = FILE_TYPES.get(format)
    return None if code is None else f"{_AUTHORITY}file-type/{code}"
