"""The document handed out at the end, as a PDF. In French whoever asks: it is an act (Constitution, art. 2)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.sax.saxutils import escape

from beffroi.base.clock import queries as clock


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed. `facts` are questions with their answers; `check_url` is where the code is verified."""

    title: str
    town: str
    territory: str
    service: str
    number: str
    holder: str
    text: str
    article: str
    facts: Sequence[tuple[str, str]]
    issued_at: datetime
    valid_until: date | None
    author: str
    code: str
    check_url: str


def document_pdf(paper: Paper) -> bytes:
    """Return the document as a PDF of one page or more, with its code of verification, in letters and as a QR code."""
    # Read when a paper is asked for: it takes a tenth of a second that no page should pay.
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.lib.units import cm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    styles, out = getSampleStyleSheet(), io.BytesIO()
    body = ParagraphStyle("body", parent=styles["Normal"], fontSize=10.5, leading=15, spaceAfter=8)
    small = ParagraphStyle("small", parent=styles["Normal"], fontSize=8.5, leading=11)
    issued = paper.issued_at.astimezone(clock.timezone_of(paper.territory))
    rows = [("Demande", paper.number), ("Demandeur", paper.holder), *paper.facts]
    rows.append(("Délivré le", f"{issued:%d/%m/%Y à %H:%M}"))
    if paper.valid_until:
        rows.append(("Valable jusqu’au", f"{paper.valid_until:%d/%m/%Y}"))
    cells = [[Paragraph(_text(name), body), Paragraph(f"<b>{_text(value)}</b>", body)] for name, value in rows]
    table = Table(cells, colWidths=[6 * cm, 10.5 * cm])
    table.setStyle(TableStyle([
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.lightgrey), ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]))  # fmt: skip
    code = QrCodeWidget(paper.check_url, barLevel="M")
    west, south, east, north = code.getBounds()
    side = 3 * cm
    drawing = Drawing(side, side, transform=[side / (east - west), 0, 0, side / (north - south), 0, 0])
    drawing.add(code)
    check = Paragraph(
        f"Code de vérification : <b>{_text(paper.code)}</b><br/>À vérifier sur {_text(paper.check_url)}<br/>"
        "Ce document porte le sceau électronique de la commune : la page de vérification dit s’il est bien d’elle et "
        "s’il vaut encore. Ce n’est pas une signature électronique qualifiée.", small,
    )  # fmt: skip
    foot = Table([[drawing, check]], colWidths=[3.6 * cm, 12.9 * cm])
    foot.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("BOX", (0, 0), (-1, -1), 0.5, colors.grey)]))
    told = [part.strip() for part in paper.text.split("\n") if part.strip()]
    story = [
        Paragraph(_text(paper.town), styles["Heading2"]),
        Paragraph(_text(paper.service), styles["Normal"]),
        Spacer(1, 0.8 * cm),
        Paragraph(_text(paper.title), styles["Title"]),
        table,
        Spacer(1, 0.6 * cm),
        *(Paragraph(_text(part), body) for part in told),
        *([Paragraph(_text(paper.article), small)] if paper.article else []),
        Spacer(1, 0.5 * cm),
        Paragraph(_text(paper.author), body),
        Spacer(1, 0.8 * cm),
        foot,
    ]
    document = SimpleDocTemplate(
        out, pagesize=A4, title=f"{paper.title} {paper.number}", author=paper.town, subject=paper.code, lang="fr",
        leftMargin=2.2 * cm, rightMargin=2.2 * cm, topMargin=1.8 * cm, bottomMargin=1.8 * cm,
    )  # fmt: skip
    document.build(story)
    return out.getvalue()


def _text(words: str) -> str:
    # Paragraphs read a small markup: what people typed must not be taken for it. Their font lacks thin spaces.
    return escape(words.replace("\u202f", "\u00a0"))
