"""Themes of datasets, as readers see them: a title and an icon for each folder of `datasets/`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from beffroi.base.kernel.sentences import gettext_noop


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme: `slug` is the folder's name, `colour` the one of its layers on the map (both themes, 3:1 on paper)."""

    slug: str
    title: str
    icon: str
    colour: str


_KNOWN = (
    ("accessibilite", gettext_noop("Accessibilité"), "person", "#7a4fa3"),
    ("adresses", gettext_noop("Adresses"), "position", "#8a5a2b"),
    ("batiments", gettext_noop("Bâtiments"), "building", "#84490a"),
    ("culture", gettext_noop("Culture et patrimoine"), "culture", "#9b3d6e"),
    ("dechets", gettext_noop("Déchets"), "empty", "#5b6b12"),
    ("demographie", gettext_noop("Population"), "people", "#12495a"),
    ("economie", gettext_noop("Commerces et économie"), "shop", "#a3481d"),
    ("education", gettext_noop("Écoles et jeunesse"), "school", "#1c5fa8"),
    ("environnement", gettext_noop("Nature et environnement"), "tree", "#17613a"),
    ("equipements", gettext_noop("Équipements"), "services", "#0b6b74"),
    ("finances", gettext_noop("Finances"), "money", "#5c5200"),
    ("mobilite", gettext_noop("Se déplacer"), "transport", "#3a4fb0"),
    ("numerique", gettext_noop("Numérique"), "data", "#4a5568"),
    ("referentiels", gettext_noop("Limites et référentiels"), "map", "#5a5148"),
    ("sante_securite", gettext_noop("Santé et sécurité"), "health", "#b3261e"),
    ("series_temporelles", gettext_noop("Mesures dans le temps"), "chart", "#2b6f8a"),
    ("social", gettext_noop("Solidarité"), "people", "#8b3a8f"),
    ("stationnement", gettext_noop("Stationnement"), "transport", "#37517e"),
    ("agriculture", gettext_noop("Agriculture"), "tree", "#5b6b12"),
    ("cadastre", gettext_noop("Cadastre"), "schema", "#5a5148"),
    ("eclairage", gettext_noop("Éclairage public"), "energy", "#8a5a00"),
    ("energie", gettext_noop("Énergie"), "energy", "#8a5a00"),
    ("espaces_verts", gettext_noop("Parcs, arbres et jeux"), "tree", "#17613a"),
    ("habitat", gettext_noop("Habitat"), "home", "#7d3c2a"),
    ("hydrographie", gettext_noop("Eau"), "water", "#0b5f8a"),
    ("immobilier", gettext_noop("Ventes immobilières"), "building", "#7d3c2a"),
    ("mobilier", gettext_noop("Mobilier urbain"), "services", "#5a5148"),
    ("mobilites", gettext_noop("Se déplacer"), "transport", "#3a4fb0"),
    ("population", gettext_noop("Population"), "people", "#12495a"),
    ("proprete", gettext_noop("Propreté"), "empty", "#5b6b12"),
    ("relief", gettext_noop("Relief"), "map", "#6b4f2a"),
    ("risques", gettext_noop("Risques"), "warning", "#a3481d"),
    ("sante", gettext_noop("Santé"), "health", "#b3261e"),
    ("securite", gettext_noop("Sécurité"), "safety", "#b3261e"),
    ("sous_sol", gettext_noop("Sous-sol"), "layers", "#6b4f2a"),
    ("services", gettext_noop("Services"), "services", "#0b6b74"),
    ("sport_loisirs", gettext_noop("Sport et loisirs"), "people", "#8b3a8f"),
    ("transports", gettext_noop("Transports en commun"), "transport", "#3a4fb0"),
    ("vie_locale", gettext_noop("Vie locale"), "people", "#8b3a8f"),
    ("transit", gettext_noop("Transports en commun"), "transport", "#3a4fb0"),
    ("urbanisme", gettext_noop("Urbanisme"), "schema", "#a04a00"),
    ("velo", gettext_noop("Vélo"), "transport", "#1f7a4d"),
    ("vie_municipale", gettext_noop("Vie municipale"), "vote", "#6b2f4f"),
    ("voirie", gettext_noop("Rues et voirie"), "transport", "#5c4a3a"),
)
THEMES = {slug: (title, icon, colour) for slug, title, icon, colour in _KNOWN}
_OTHER = (gettext_noop("Autres données"), "data", "#4a5568")


def theme(slug: str) -> Theme:
    """Return a theme by slug; one that a town made up takes its slug for title."""
    title, icon, colour = THEMES.get(slug.replace("-", "_"), _OTHER)
    if slug and slug.replace("-", "_") not in THEMES:
        return Theme(slug, slug.replace("-", " ").replace("_", " ").capitalize(), icon, colour)
    return Theme(slug, gettext(title), icon, colour)
