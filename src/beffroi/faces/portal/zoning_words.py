"""The words of `mobility/zonings/`, marked here for translation."""

from __future__ import annotations

from beffroi.base.kernel.sentences import gettext_noop

WORDS = (
    gettext_noop("Revitalisation rurale (FRR, anciennes ZRR)"),
    gettext_noop(
        "Des communes rurales peu denses et aux revenus modestes, où s’installer et embaucher coûte moins d’impôts."
    ),
    gettext_noop("Classée France ruralités revitalisation « plus »"),
    gettext_noop("Classée en revitalisation rurale"),
    gettext_noop("Classée pour une partie de la commune"),
    gettext_noop("Non classée"),
    gettext_noop("Bénéfices des entreprises et cabinets qui s’installent ou sont repris"),
    gettext_noop(
        "Exonération d’impôt sur les bénéfices pendant cinq ans, puis dégressive pendant trois ; "
        "professions libérales comprises, dont les médecins."
    ),
    gettext_noop("Cotisation foncière des entreprises"),
    gettext_noop("Exonération possible quand la commune ou son groupement l’a voté."),
    gettext_noop("Taxe foncière des locaux d’activité"),
    gettext_noop("Zones sous-dotées en médecins"),
    gettext_noop("L’agence régionale de santé dit où les généralistes manquent, et où s’installer est aidé."),
    gettext_noop("Zone d’intervention prioritaire"),
    gettext_noop("Zone d’action complémentaire"),
    gettext_noop("Hors des zones sous-dotées"),
    gettext_noop("Aides de la commune, du département ou de la région"),
    gettext_noop(
        "Aide à l’installation ou au maintien, local ou logement, en échange d’exercer là au moins trois "
        "ans ; indemnités d’étude aux internes."
    ),
    gettext_noop("Contrat de début d’exercice"),
    gettext_noop("Un revenu garanti par l’agence régionale de santé au médecin qui s’installe."),
    gettext_noop("Contrat d’engagement de service public"),
    gettext_noop("Une allocation aux étudiants qui s’engagent à exercer dans ces zones."),
    gettext_noop("Permanence des soins"),
    gettext_noop("La rémunération des gardes est exonérée d’impôt sur le revenu, soixante jours par an."),
    gettext_noop("Aides de l’assurance maladie à l’installation"),
    gettext_noop("Selon la convention médicale de 2024 ; les montants se demandent à la caisse primaire."),
)
