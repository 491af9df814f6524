"""The text of the council's acts, as a clerk writes them: what was read, what was considered, what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from beffroi.lake.town.plan import NAME, WARNING

# Of each topic: what the council considered, and what it decided.
_REASONS = {
    "Adoption du budget primitif": (
        "le rapport d’orientation budgétaire débattu lors de la séance précédente, les prévisions de recettes fiscales "
        "et la baisse de la dotation globale de fonctionnement",
        "d’adopter, chapitre par chapitre, le budget primitif de la commune, équilibré en section de fonctionnement et "
        "en section d’investissement",
    ),
    "Subvention à une association": (
        "la demande de l’association des Jardins de l’Onde, qui accueille chaque semaine des enfants du centre de "
        "loisirs et prête ses outils aux habitants",
        "d’attribuer à cette association une subvention de fonctionnement de 2 400 euros, et d’autoriser le maire à "
        "signer la convention",
    ),
    "Modification simplifiée du plan local d'urbanisme": (
        "le bilan de la mise à disposition du public, les avis des personnes publiques associées et la nécessité de "
        "corriger une erreur matérielle sur la hauteur des clôtures",
        "d’approuver la modification simplifiée du plan local d’urbanisme, tenue à la disposition du public en mairie",
    ),
    "Acquisition d'une parcelle": (
        "la promesse de vente signée par les propriétaires et l’avis du service des domaines, l’emplacement étant "
        "réservé pour un bassin de rétention des eaux pluviales",
        "d’acquérir la parcelle à l’euro symbolique, les frais d’acte notarié étant à la charge de la commune",
    ),
    "Dénomination d'une voie nouvelle": (
        "l’achèvement du lotissement et la demande des riverains, pour que les secours et les livreurs les trouvent",
        "de dénommer la voie nouvelle rue des Lavandières, et de transmettre l’adressage à la base adresse locale",
    ),
    "Attribution d'un marché de travaux": (
        "le rapport d’analyse des offres et l’avis de la commission d’appel d’offres sur la rénovation thermique du "
        "gymnase",
        "d’attribuer le marché de travaux à l’entreprise la mieux classée et d’autoriser le maire à le signer",
    ),
    "Tableau des effectifs": (
        "les départs à la retraite, les avancements de grade et l’avis du comité social territorial",
        "de créer un poste d’adjoint technique à temps complet et de mettre à jour le tableau des effectifs",
    ),
    "Plan de plantation d'arbres": (
        "les relevés de l’été et la carte des îlots de chaleur, qui montrent jusqu’à six degrés d’écart entre les "
        "places plantées et celles qui ne le sont pas",
        "d’approuver la plantation de trois cents arbres en cinq ans, micocouliers et érables champêtres d’abord dans "
        "les cours d’école",
    ),
    "Tarifs de la restauration scolaire": (
        "le coût d’un repas, la part des produits biologiques portée à la moitié et les quotients familiaux",
        "de fixer les tarifs de la cantine de un à quatre euros quatre-vingts selon le quotient familial",
    ),
    "Rapport annuel sur le prix de l'eau": (
        "le rendement du réseau, les fuites réparées dans l’année et les analyses de l’agence régionale de santé",
        "de prendre acte du rapport annuel sur le prix et la qualité du service public de l’eau potable",
    ),
}


def act_of(topic: str, day: date, votes: tuple[int, int, int]) -> list[str]:
    """Return the paragraphs of an act: its title first. `votes`: for, against, abstaining."""
    considered, decided = _REASONS[topic]
    ayes, noes, others = votes
    how = "à l’unanimité" if not noes and not others else f"par {ayes} voix pour, {noes} contre et {others} abstentions"
    return [
        topic,
        f"Commune de {NAME} (fictive). Extrait du registre des délibérations du conseil municipal.",
        f"Séance du {day:%d/%m/%Y}, sous la présidence du maire. Conseillers en exercice : 29. Votants : {sum(votes)}.",
        "Vu le code général des collectivités territoriales, et notamment son article L. 2121-29 ;",
        f"Considérant {considered} ;",
        f"Après en avoir délibéré, le conseil municipal décide {how} {decided}.",
        "Le maire certifie le caractère exécutoire de cet acte, transmis au représentant de l’État et publié.",
        WARNING,
    ]


def write_act(path: Path, paragraphs: Sequence[str]) -> None:
    """Write an act as a PDF document with its text, the same bytes each time."""
    # Read when a town is drawn: it takes a tenth of a second that nothing else should pay.
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import simpleSplit
    from reportlab.pdfgen.canvas import Canvas

    path.parent.mkdir(parents=True, exist_ok=True)
    page = Canvas(str(path), pagesize=A4, invariant=1, lang="fr")
    page.setTitle(paragraphs[0])
    page.setAuthor(NAME)
    height = A4[1] - 72
    for rank, paragraph in enumerate(paragraphs):
        font, size = ("Helvetica-Bold", 16) if rank == 0 else ("Helvetica", 11)
        page.setFont(font, size)
        for line in simpleSplit(paragraph, font, size, A4[0] - 144):
            page.drawString(72, height, line)
            height -= size * 1.4
        height -= size
    page.save()
