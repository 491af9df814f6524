"""Bills as every face tells them: where they stand, what the law has them say, and the same on paper (PDF)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.territory.queries import CommuneInfo
from beffroi.serve.payments.definition import KINDS, TITRE, WAYS, BillInfo, LineInfo, MoveInfo, euros
from beffroi.serve.payments.engine import PaymentsSettings

MOVES = {
    "issue": gettext_noop("Facture émise"),
    "cancel": gettext_noop("Facture annulée"),
    "payment": gettext_noop("Paiement reçu"),
    "reversal": gettext_noop("Paiement annulé"),
    "offset": gettext_noop("Avoir imputé"),
    "refund": gettext_noop("Remboursement"),
}


def month_words(month: date) -> str:
    """Return a month as one reads it, its first letter a capital."""
    told = date_format(month, "F Y")
    return told[:1].upper() + told[1:]


def kind_words(info: BillInfo) -> str:
    """Return what paper this is: a bill of a régie, a notice of sums to pay, or what the town owes."""
    if info.is_credit:
        return _("Avoir")
    return _(KINDS[TITRE]) if info.register.kind == TITRE else _("Facture")


def standing_words(info: BillInfo, day: date) -> tuple[str, str]:
    """Return where a bill stands, and the kind of its tag."""
    if info.is_cancelled:
        return _("Annulée"), "done"
    if info.is_credit:
        return _("Avoir de {amount}").format(amount=euros(-info.total_cents)), "good"
    if info.due_cents <= 0:
        return _("Réglée"), "good"
    due = date_format(info.due_on, "j F Y")
    if info.is_late(day):
        return _("{amount} à payer, échue le {day}").format(amount=info.due, day=due), "bad"
    return _("{amount} à payer avant le {day}").format(amount=info.due, day=due), "warn"


def line_cells(one: LineInfo) -> tuple[str, str, str, str]:
    """Return a line: what, how many, at which price, for how much."""
    what = f"{one.child} – {one.title}, {date_format(one.month, 'F Y')}"
    if one.is_correction:
        what = _("{what} (correction)").format(what=what)
    return what, f"{one.units} {one.unit}", euros(one.price_cents), euros(one.amount_cents)


def move_cells(one: MoveInfo) -> tuple[str, str, str]:
    """Return what happened: the day, what, for how much."""
    what = _(MOVES.get(one.kind, one.kind))
    if one.way:
        what = f"{what} ({_(WAYS.get(one.way, one.way))})"
    if one.reason:
        what = f"{what} – {one.reason}"
    return date_format(one.day, "j F Y"), what, euros(one.cents)


def mentions(info: BillInfo, rules: Sequence[PaymentsSettings]) -> list[str]:
    """Return what the law has a bill say, sentence by sentence; what the town has not filled in is left out.

    Source: CGCT, art. L1617-5 (who issues, appeal, two months), art. R1617-1 et suivants (régies), art. L1611-5-1
    (online payment); décret n° 2012-1246 of 7 November 2012, art. 24 (bases of the sum).
    """
    register = info.register
    told = []
    if register.issuer:
        told.append(_("Émis par {issuer}.").format(issuer=register.issuer))
    bases = {one.basis for rule in rules for one in rule.billed if one.slug in {line.service for line in info.lines}}
    told += [_("Bases de calcul : {basis}.").format(basis=basis) for basis in sorted(bases) if basis]
    if info.total_cents > 0:
        told.append(_("À régler avant le {day}.").format(day=date_format(info.due_on, "j F Y")))
        if register.kind == TITRE:
            told.append(
                _(
                    "Ce titre est exécutoire. À défaut de paiement, le comptable public en poursuit le recouvrement "
                    "(CGCT, art. L1617-5)."
                )
            )
        else:
            told.append(
                _(
                    "Sans paiement à cette date, un titre de recettes est émis et recouvré par le comptable public, la "
                    "direction générale des Finances publiques (CGCT, art. L1617-5)."
                )
            )
    court = register.court or _("le tribunal administratif compétent")
    told.append(
        _(
            "Pour la contester : écrivez au service dans les deux mois de sa réception, ou saisissez {court} dans le "
            "même délai (CGCT, art. L1617-5 ; code de justice administrative, art. R421-1)."
        ).format(court=court)
    )
    return told


def ways_to_pay(info: BillInfo) -> list[str]:
    """Return the ways to pay a bill, one by one."""
    told = []
    if info.register.gateway == "payfip":
        told.append(
            _("En ligne, par carte ou prélèvement unique, sur le site PayFiP de la DGFiP (CGCT, art. L1611-5-1)")
        )
    elif info.register.gateway == "sandbox":
        told.append(_("En ligne, dans le bac à sable de démonstration : aucun argent ne circule"))
    return told + [line.strip() for line in info.register.ways.splitlines() if line.strip()]


# --- On paper --------------------------------------------------------------------------------------------------------


def bill_pdf(
    info: BillInfo, *, town: CommuneInfo, rules: Sequence[PaymentsSettings], reference: str, code: str
) -> bytes:
    """Return a bill as a PDF: title, language and reading order set; the page of the bill says the same."""
    # Read when a paper is asked for: it takes a tenth of a second that no page should pay.
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import cm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    styles, out = getSampleStyleSheet(), io.BytesIO()
    title = _("{kind} n° {number}").format(kind=kind_words(info), number=info.number)

    def words(text: str, style: str = "Normal") -> Paragraph:
        return Paragraph(_safe(text), styles[style])

    story = [
        words(title, "Title"),
        words(f"{town.name} – {info.register.title}", "Heading3"),
        *(words(line) for line in info.register.address.splitlines()),
        Spacer(1, 0.4 * cm),
        words(_("Destinataire : {name}").format(name=info.addressee)),
        *(words(line) for line in info.address.splitlines()),
        words(_("Référence de la famille : {reference}").format(reference=reference)),
        words(_("Émise le {day}").format(day=date_format(info.issued_on, "j F Y"))),
        Spacer(1, 0.4 * cm),
        _table(info, words),
        Spacer(1, 0.4 * cm),
        *(words(one) for one in mentions(info, rules)),
    ]
    if info.total_cents > 0 and (ways := ways_to_pay(info)):
        story += [words(_("Comment payer"), "Heading3"), *(words(f"• {one}") for one in ways)]
    story.append(words(_("Ce qui s’est passé"), "Heading3"))
    story += [words(f"• {' : '.join(move_cells(one)[:2])}, {move_cells(one)[2]}") for one in info.moves]
    if 0 < info.due_cents < info.total_cents:
        story.append(words(_("Il reste {amount} à payer.").format(amount=info.due)))
    told = _("Pour la retrouver en ligne : page « Mes factures », référence {reference}, code {code}.")
    story += [Spacer(1, 0.4 * cm), words(told.format(reference=reference, code=code))]
    SimpleDocTemplate(out, pagesize=A4, title=title, author=town.name, lang="fr").build(story)
    return out.getvalue()


def _table(info: BillInfo, words: object) -> object:
    from reportlab.lib import colors
    from reportlab.lib.units import cm
    from reportlab.platypus import Table, TableStyle

    rows = []
    for one in info.lines:
        what, count, price, amount = line_cells(one)
        rows.append([words(what), count, price, amount])  # type: ignore[operator]
    heads = [_("Désignation"), _("Quantité"), _("Prix"), _("Montant")]
    table = Table([heads, *rows, [_("Total"), "", "", info.total]], colWidths=[8.2 * cm, 3.6 * cm, 2.3 * cm, 2.6 * cm],
                  repeatRows=1)  # fmt: skip
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
                ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                ("FONTNAME", (0, -1), (-1, -1), "Helvetica-Bold"),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _safe(text: str) -> str:
    # Paragraphs read a small markup; names must not be taken for it. Helvetica lacks the narrow space.
    return text.replace("\u202f", "\u00a0").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
