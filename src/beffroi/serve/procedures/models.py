"""Requests made by a procedure, forms under way, documents asked for and handed out. Private to the room."""

from __future__ import annotations

from django.db import models

from beffroi.base.kernel.personal import Fate, Purpose, Retention

_PERSON = "territory.Person"
_AGENTS = ("agents du service chargé de la démarche",)


class Request(models.Model):
    """What a procedure adds to a request of `cases`, whose category is the use case. Answers are of their own types."""

    case = models.OneToOneField("cases.Case", primary_key=True, on_delete=models.CASCADE, related_name="procedure")
    answers = models.JSONField(default=dict)
    # The answers of a procedure that seals them (`sealed.py`); `answers` is then empty.
    sealed = models.TextField(blank=True)
    findings = models.JSONField(default=dict)
    proposal = models.CharField(max_length=80, blank=True)
    # What it will cost, as it was told.
    fees = models.JSONField(default=list)

    privacy = Purpose(
        purpose="Instruire la démarche demandée ; chaque démarche dit la sienne avant l’envoi",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CRPA, art. L112-8 (saisine par voie électronique)",
        categories=("réponses au formulaire de la démarche", "constats du service"),
        recipients=_AGENTS,
        person=("case__parties__person_id",),
        sealed=("sealed",),
        handled_by="beffroi.serve.procedures.personal",
        # A procedure may say less (`notice.kept_months`), never more.
        retention=Retention(amount=24, unit="month", start=("case__closed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )


class Draft(models.Model):
    """A form under way: what was typed, as typed, by step; the files already received stand in the store of `cases`."""

    key = models.CharField(max_length=32, unique=True)
    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=20)
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    typed = models.JSONField(default=dict)
    sealed = models.TextField(blank=True)
    files = models.JSONField(default=list)
    for_other = models.BooleanField(default=False)
    # Where it was begun, sealed: only to count how many come from one place.
    network = models.CharField(max_length=32, blank=True)
    begun_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    privacy = Purpose(
        purpose="Garder un formulaire commencé pour pouvoir le finir",
        legal_basis="public-task",
        article="RGPD art. 6-1 e",
        categories=("ce qui a été tapé dans le formulaire", "pièces déjà jointes"),
        recipients=("personne : seul qui l’a commencé le lit",),
        person=("person_id",),
        exported=("use_case", "typed", "begun_at", "changed_at"),
        sealed=("sealed",),
        retention=Retention(start=("expires_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [models.Index(fields=["network", "begun_at"], name="draft_network")]


class KeptPiece(models.Model):
    """A document that a person lets the town keep for her next requests, until a day she was told."""

    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="+")
    territory = models.CharField(max_length=9)
    code = models.SlugField(max_length=20, db_index=False)
    label = models.CharField(max_length=200)
    file = models.JSONField()
    agreed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    privacy = Purpose(
        purpose="Ne pas redemander une pièce déjà donnée, si la personne le veut",
        legal_basis="consent",
        article="RGPD art. 6-1 a et 7 ; CRPA, art. L114-8 (dites-le nous une fois)",
        categories=("pièces justificatives gardées à la demande de la personne",),
        recipients=("personne : seul le titulaire du compte les reprend",),
        person=("person_id",),
        exported=("label", "agreed_at", "expires_at"),
        retention=Retention(start=("expires_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "territory", "code", "label"], name="procedures_kept_once")
        ]


class Piece(models.Model):
    """A document the service asked for after the sending, with the time given to bring it."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="pieces")
    code = models.SlugField(max_length=20, db_index=False)
    label = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    until = models.DateField()
    supplied_at = models.DateTimeField(null=True, blank=True)

    privacy = Purpose(
        purpose="Savoir quelles pièces manquaient, et combien de temps le délai a été suspendu",
        legal_basis="obligation",
        article="CRPA, art. L114-5",
        categories=("pièces demandées, dates",),
        recipients=_AGENTS,
        person=("request__case__parties__person_id",),
        retention=Retention(amount=2, unit="year", start=("request__case__closed_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )


class Offer(models.Model):
    """A place offered to the first of a waiting list, with the time given to answer. Past it, it has lapsed."""

    WAITING, ACCEPTED, DECLINED, LAPSED = "waiting", "accepted", "declined", "lapsed"

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="offers")
    what = models.CharField(max_length=200)
    offered_at = models.DateTimeField()
    until = models.DateField()
    state = models.CharField(max_length=10, default=WAITING)
    answered_at = models.DateTimeField(null=True, blank=True)

    privacy = Purpose(
        purpose="Tenir dans l’ordre une liste d’attente, et pouvoir le montrer",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; égalité de traitement des usagers",
        categories=("place proposée, réponse, dates",),
        recipients=_AGENTS,
        person=("request__case__parties__person_id",),
        retention=Retention(amount=2, unit="year", start=("request__case__closed_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )


class Passage(models.Model):
    """Somebody passed by a home whose people are away: when, who, what was seen. Sent twice, it is one."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="passages")
    at = models.DateTimeField()
    # One of the answers to who passes, or "" for the service.
    who = models.CharField(max_length=40, blank=True)
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    seen = models.CharField(max_length=40)
    note = models.TextField(blank=True)
    key = models.CharField(max_length=64)

    privacy = Purpose(
        purpose="Rendre compte à un habitant absent des passages faits devant chez lui",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT, art. L2212-2 (tranquillité publique)",
        categories=("jour et heure d’un passage, ce qui a été vu, agent qui est passé",),
        recipients=_AGENTS,
        person=("request__case__parties__person_id",),
        hidden=("person", "key"),
        sealed=("note",),
        # A procedure erases them sooner, some days after the return (`passages.keep_days`).
        retention=Retention(amount=1, unit="month", start=("request__case__closed_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "key"], name="procedures_passed_once")]


class Change(models.Model):
    """An agent's correction of the answers: before, after, why. Rows are added, never changed."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    changes = models.JSONField(default=list)
    reason = models.TextField()

    privacy = Purpose(
        purpose="Rendre compte de ce que le service a corrigé dans une démarche",
        legal_basis="public-task",
        article="RGPD art. 6-1 e",
        categories=("réponses avant et après correction", "agent qui a corrigé"),
        recipients=_AGENTS,
        person=("request__case__parties__person_id",),
        hidden=("author",),
        retention=Retention(amount=2, unit="year", start=("request__case__closed_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )


class Certificate(models.Model):
    """A document handed out: its digest under the seal of the house, and what a reader may compare with her paper."""

    request = models.ForeignKey(Request, null=True, on_delete=models.SET_NULL, related_name="certificates")
    code = models.CharField(max_length=32, unique=True)
    territory = models.CharField(max_length=9)
    title = models.CharField(max_length=120)
    number = models.CharField(max_length=12)
    issued_at = models.DateTimeField()
    valid_until = models.DateField(null=True, blank=True)
    # SHA-256 of the very file, and the signature of it with what identifies it.
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=100)
    facts = models.JSONField(default=list)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_because = models.CharField(max_length=300, blank=True)

    privacy = Purpose(
        purpose="Permettre à qui tient un document remis par la commune d’en vérifier l’origine",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT, art. L2224-8 (document valable dix ans)",
        categories=("adresse et conclusion portées sur le document ; jamais le nom",),
        recipients=("qui tient le document et son code de vérification",),
        person=("request__case__parties__person_id",),
        hidden=("signature",),
        erased={"facts": []},
        retention=Retention(amount=11, unit="year", start=("issued_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.KEEP,
        kept_because="Le document concerne un immeuble et reste opposable : RGPD art. 17-3 b et e",
    )


_HELD = "CASF, art. L121-6-1 et R121-2 à R121-12 ; RGPD art. 6-1 a (les autres registres)"
_KEPT_UNTIL = Retention(until="tant que la personne le veut ; radiation à tout moment (CASF, art. R121-2 à R121-12)")


class Card(models.Model):
    """A person on a register: the sealed answers of her request, and her agreement. Left, the row is deleted."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="cards")
    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=20)
    # Asked by somebody else than the person.
    by_other = models.BooleanField()
    since = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_how = models.CharField(max_length=200, blank=True)
    helper = models.TextField(blank=True)

    privacy = Purpose(
        purpose="Tenir un registre de personnes à aider, à leur demande, et les appeler en cas d’alerte",
        legal_basis="obligation",
        article=_HELD,
        categories=("inscription à un registre, accord, personne qui aide",),
        recipients=_AGENTS,
        person=("request__case__parties__person_id",),
        exported=("use_case", "by_other", "since", "confirmed_at", "confirmed_how"),
        sealed=("helper",),
        retention=_KEPT_UNTIL,
        # Her account may go and her place on the register stay: only she, or her service, takes her off.
        on_erasure=Fate.KEEP,
        kept_because="La personne inscrite peut être une autre que le titulaire du compte : RGPD art. 17-3 b",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "use_case"], name="procedures_one_card")]
        indexes = [models.Index(fields=["territory", "use_case"], name="procedures_card_list")]


class CardReading(models.Model):
    """That an agent read a card on a day: itself, or on a list. Shown to its person."""

    CARD, LIST, CALL = "card", "list", "call"

    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="readings")
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    on = models.DateField()
    what = models.CharField(max_length=4)

    privacy = Purpose(
        purpose="Dire à la personne inscrite quand sa fiche a été lue, et rendre compte des accès",
        legal_basis="obligation",
        article="RGPD art. 5-2 et 32 ; CASF, art. R121-2 à R121-12 (secret professionnel)",
        categories=("jour d’une lecture, agent qui a lu",),
        recipients=_AGENTS,
        person=("card__request__case__parties__person_id",),
        hidden=("person",),
        retention=Retention(until="tant que la fiche est au registre"),
        on_erasure=Fate.KEEP,
        kept_because="Trace des accès à un registre chiffré : RGPD art. 17-3 b et 32",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["card", "person", "on", "what"], name="procedures_read_once_a_day")
        ]


class CallRound(models.Model):
    """Calls to the people of a register during an alert. Names nobody but the agent who began it."""

    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    privacy = Purpose(
        purpose="Conduire les appels aux personnes inscrites pendant une alerte, et en rendre compte",
        legal_basis="public-task",
        article=_HELD,
        categories=("agent qui a ouvert les appels",),
        recipients=_AGENTS,
        person=("opened_by_id",),
        erased={"opened_by": None},
        retention=Retention(amount=2, unit="year", start=("closed_at",), fate=Fate.DELETE),
        on_erasure=Fate.ANONYMISE,
    )


class Call(models.Model):
    """One call to one person: what it gave, and a sealed note. Rows are added, never changed."""

    round = models.ForeignKey(CallRound, on_delete=models.CASCADE, related_name="calls")
    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    outcome = models.CharField(max_length=6)
    note = models.TextField(blank=True)

    privacy = Purpose(
        purpose="Savoir qui a été joint pendant une alerte, et qui rappeler",
        legal_basis="obligation",
        article=_HELD,
        categories=("jour et heure d’un appel, ce qu’il a donné",),
        recipients=_AGENTS,
        person=("card__request__case__parties__person_id",),
        hidden=("person",),
        sealed=("note",),
        retention=Retention(amount=2, unit="year", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )


class Need(models.Model):
    """Something a person of a register asked for, or that a call found: until it is done."""

    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="needs")
    kind = models.CharField(max_length=40)
    note = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    by_person = models.BooleanField()
    taken_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    privacy = Purpose(
        purpose="Porter de l’eau, conduire, visiter ou aider une personne inscrite qui le demande",
        legal_basis="public-task",
        article=_HELD,
        categories=("ce qui est demandé, dates",),
        recipients=_AGENTS,
        person=("card__request__case__parties__person_id",),
        sealed=("note",),
        retention=Retention(amount=1, unit="year", start=("done_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["card"], name="procedures_need_open", condition=models.Q(done_at__isnull=True)),
        ]
