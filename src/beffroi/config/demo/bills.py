"""A few families of the fictional town, their last two months billed, some paid, some not. Made once."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from beffroi.base.territory import operations as territory_operations
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.payments import operations, queries

# Reference, name, family quotient (None: unknown), and what each child used: child, service, units.
_FAMILIES: tuple[tuple[str, str, int | None, tuple[tuple[str, str, int], ...]], ...] = (
    (
        "F-1001",
        "Famille Rivebelle",
        620,
        (("Lou", "cantine", 14), ("Lou", "accueil-du-soir", 8), ("Noé", "cantine", 12)),
    ),
    ("F-1002", "Famille Aubrac", 380, (("Ava", "cantine", 16), ("Ava", "centre-de-loisirs", 4))),
    ("F-1003", "Famille Sorgue", None, (("Sacha", "cantine", 9),)),
    ("F-1004", "Famille Mercantour", 1500, (("Zoé", "centre-de-loisirs", 6), ("Milo", "centre-de-loisirs", 6))),
    ("F-1005", "Famille Lubéron", 845, (("Inès", "cantine", 15), ("Inès", "accueil-du-soir", 15))),
)
_COLLEAGUE = "facturation@valbruyere.example"


def add_bills(territory: str, *, resident_email: str, agent_email: str, at: datetime) -> int:
    """Bill a few families, the resident's among them; none where some are billed, or nothing may be."""
    resident, agent = (territory_queries.person_by_email(one) for one in (resident_email, agent_email))
    rules = queries.rules_of(territory)
    if resident is None or agent is None or not rules:
        return 0
    grants = (Grant(territory, Role.AGENT, frozenset({rules[0].service})),)
    keeper = Viewer(agent.id, grants)
    if queries.families(keeper, territory):
        return 0
    operations.save_register(
        keeper, territory, rules[0].register_slug, title="Régie Enfance et jeunesse", kind="regie",
        issuer="Alix Verneuil, régisseuse de recettes", address="Hôtel de ville\nPlace de la Mairie",
        ways="Chèque à l’ordre de « Régie Enfance », au guichet ou par la poste\n"
             "Espèces au guichet de la mairie, du lundi au vendredi de 9 h à 12 h\n"
             "Prélèvement automatique : mandat à demander au guichet",
        court="le tribunal administratif", gateway="sandbox",
        at=at,
    )  # fmt: skip
    for reference, name, quotient, _used in _FAMILIES:
        email = resident_email if reference == "F-1001" else ""
        operations.save_family(keeper, territory, reference=reference, name=name, email=email, quotient=quotient, at=at)
    mine = next(one for one in queries.families(keeper, territory) if one.reference == "F-1001")
    operations.link_by_agent(keeper, territory, mine.id, email=resident_email, at=at)
    this = at.date().replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    before = (last - timedelta(days=1)).replace(day=1)
    sent = _month(keeper, territory, before, at - timedelta(days=38))
    _pay(keeper, territory, sent[:4], at)
    _month(keeper, territory, last, at - timedelta(days=4), fewer=3)
    # The month under way is deposited, and waits to be looked at.
    operations.take_deposit(keeper, territory, name="mois-en-cours.csv", content=_file(this, 2), at=at)
    _owe(grants, keeper, territory, sent[3], at)
    return len(_FAMILIES)


def _file(month: date, fewer: int) -> bytes:
    lines = [
        f"{month:%Y-%m},{reference},{child},{service},{max(units - fewer, 1)}"
        for reference, _name, _quotient, used in _FAMILIES
        for child, service, units in used
    ]
    return "\n".join(["mois,famille,enfant,service,unites", *lines]).encode()


def _month(keeper: Viewer, territory: str, month: date, at: datetime, *, fewer: int = 0) -> list[int]:
    operations.take_deposit(keeper, territory, name=f"{month:%Y-%m}.csv", content=_file(month, fewer), at=at)
    (plan, *_others) = queries.month_plans(keeper, territory, month)
    return operations.issue_month(keeper, territory, month, register=plan.register, fingerprint=plan.fingerprint, at=at)


def _pay(keeper: Viewer, territory: str, keys: list[int], at: datetime) -> None:
    for rank, key in enumerate(keys):
        info = queries.bill(keeper, territory, key)
        day = at - timedelta(days=30 - 5 * rank)
        operations.record_payment(
            keeper, territory, key, cents=info.due_cents, way=("cheque", "especes")[rank % 2],
            reference=f"{5120 + rank}", day=day.date(), at=day, once="demonstration",
        )  # fmt: skip


def _owe(grants: tuple[Grant, ...], keeper: Viewer, territory: str, key: int, at: datetime) -> None:
    """Have a family pay twice, and a colleague ask for the refund: the agent of the demonstration decides it."""
    info = queries.bill(keeper, territory, key)
    operations.record_payment(
        keeper, territory, key, cents=info.total_cents, way="cheque", reference="5199", day=at.date(), at=at,
        once="deux-fois",
    )  # fmt: skip
    known = territory_queries.person_by_email(_COLLEAGUE)
    number = known.id if known else territory_operations.create_person(email=_COLLEAGUE, name="Noor Bellac", at=at)
    operations.ask_refund(
        Viewer(number, grants), territory, info.family_id, register=info.register.slug, cents=info.total_cents,
        reason="Chèque reçu deux fois pour la même facture", at=at,
    )  # fmt: skip
