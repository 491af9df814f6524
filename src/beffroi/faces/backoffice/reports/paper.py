"""What agents print and sign, as PDF."""

from __future__ import annotations

import io
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from beffroi.serve.reports.visits import MonthlyStatement


def statement_pdf(told: MonthlyStatement, *, town: str, at: datetime) -> bytes:
    """Return the monthly statement of a contract as a PDF of one page or more, ready to be signed."""
    # Read when a paper is asked for: it takes a tenth of a second that no page should pay.
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import cm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    styles, contract, out = getSampleStyleSheet(), told.contract, io.BytesIO()
    month = formats.date_format(told.first, "F Y")
    title = _("Constat du service fait – {month}").format(month=month)
    head = [
        Paragraph(_text(title), styles["Title"]),
        Paragraph(_text(f"{town} – {contract.name}, {contract.provider}"), styles["Heading3"]),
        Spacer(1, 0.5 * cm),
    ]
    columns = [_("Lieu"), _("Attendus"), _("Constatés"), _("À l’heure"), _("Manquants")]
    rows = [[Paragraph(_text(one.place), styles["Normal"]), *_numbers(one)] for one in told.lines]
    total = [_("Total"), told.expected, told.done, sum(one.in_time for one in told.lines), told.missing]
    table = Table([columns, *rows, total], colWidths=[8 * cm, *(2.3 * cm,) * 4], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
                ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                ("FONTNAME", (0, -1), (-1, -1), "Helvetica-Bold"),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ]
        )
    )
    words = [
        _("Part des passages constatée : {share} ; promise au contrat : {promised}.").format(
            share=_share(told.share_permille), promised=_share(contract.promised_permille)
        ),
        _("Dû pour le mois, pénalités déduites : {euros} €.").format(euros=_euros(told.due_cents)),
        _("Établi le {day} d’après les constats faits sur place.").format(
            day=formats.date_format(timezone.localtime(at), "j F Y, H:i")
        ),
        _("Le responsable du service :"),
    ]
    foot = [Spacer(1, 0.5 * cm), *(Paragraph(_text(one), styles["Normal"]) for one in words)]
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author=town, lang="fr")
    document.build([*head, table, *foot])
    return out.getvalue()


def _numbers(line: object) -> list[int]:
    return [getattr(line, name) for name in ("expected", "done", "in_time", "missing")]


def _text(words: str) -> str:
    # Paragraphs read a small markup; names of places must not be taken for it.
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _share(permille: int | None) -> str:
    return "–" if permille is None else f"{permille / 10:.1f} %".replace(".", ",")


def _euros(cents: int) -> str:
    return f"{cents / 100:,.2f}".replace(",", " ").replace(".", ",")
