"""What the parts of a procedure must agree on: a name leads to a question of its type, a condition can be met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beffroi.serve.procedures.declaration import Condition, Procedure, Question, Register


def check_site(procedure: Procedure) -> None:
    """Refuse what names no question of its type: what is compared would not be said."""
    types = {one.code: one.type for one in procedure.questions()}
    findings = {one.code: one.type for one in procedure.finding}
    if procedure.due_by and types.get(procedure.due_by.field) != "choice":
        raise ValueError("« due_by.field » nomme une question à choix")
    site = procedure.site
    if site is None:
        return
    for key, code, kinds, known in (
        ("zone", site.zone, ("zone",), types), ("named", site.named, ("choice",), types),
        ("first", site.first, ("date",), types),
        ("last", site.last, ("date",), types), ("street", site.street, ("address", "text"), types),
        ("digs", site.digs, ("yes-no",), types), ("remade", site.remade, ("yes-no",), findings),
        ("closing", site.closing, ("choice",), findings),
    ):  # fmt: skip
        if code and known.get(code) not in kinds:
            raise ValueError(f"« site.{key} » : « {code} » n’est pas du type {' ou '.join(kinds)}")
    closing = procedure.question(site.closing)
    if set(site.closes) - set(closing.choices if closing else ()):
        raise ValueError("« site.closes » nomme des réponses que « site.closing » ne connaît pas")


def check_waiting(procedure: Procedure) -> None:
    for one in procedure.waiting.criterion if procedure.waiting else ():
        question = next((known for known in procedure.questions() if known.code == one.field), None)
        answers = {"oui", "non"} if question is not None and question.type == "yes-no" else set()
        answers |= set(question.choices if question else ())
        if set(one.among) - answers:
            raise ValueError(f"« waiting.criterion » : « {one.field} » n’a pas de réponse « {min(one.among)} »")

    if procedure.waiting:
        check_condition(procedure, procedure.waiting.when, "waiting.when")


def check_condition(procedure: Procedure, condition: Condition | None, where: str) -> None:
    """Refuse a condition that no answer meets."""
    if condition is None:
        return
    question = next((one for one in procedure.questions() if one.code == condition.field), None)
    answers = {"oui", "non"} if question is not None and question.type == "yes-no" else set()
    answers |= set(question.choices if question else ())
    if strange := set(condition.among) - answers:
        raise ValueError(f"« {where} » : « {condition.field} » n’a pas de réponse « {min(strange)} »")


def check_passages(procedure: Procedure) -> None:
    if procedure.sealed and (procedure.site or procedure.waiting or procedure.fee or procedure.proposal):
        raise ValueError("une démarche chiffrée n’a ni chantier, ni liste d’attente, ni tarif, ni proposition")
    if procedure.people:
        check_register(procedure, procedure.people)
    passages = procedure.passages
    if passages is None:
        return
    if not procedure.sealed:
        raise ValueError("« passages » : une absence ne se garde que chiffrée, écrivez « sealed = true »")
    known = {one.code: one for one in procedure.questions()}
    for key, code, kind in (
        ("first", passages.first, "date"), ("last", passages.last, "date"), ("address", passages.address, "address"),
        ("by", passages.by, "choice"), ("inside", passages.inside, "yes-no"),
    ):  # fmt: skip
        if code and (code not in known or known[code].type != kind):
            raise ValueError(f"« passages.{key} » : « {code} » n’est pas du type {kind}")
    if set(passages.handed) - set(known[passages.by].choices) or set(passages.calm) - set(passages.choices):
        raise ValueError("« passages.handed » et « passages.calm » nomment des réponses possibles")


def check_register(procedure: Procedure, register: Register) -> None:
    if not procedure.sealed:
        raise ValueError("« people » : une fiche ne se garde que chiffrée, écrivez « sealed = true »")
    known = {one.code: one for one in procedure.questions()}
    for key, code, kinds in (
        ("name", register.name, ("text",)), ("phone", register.phone, ("text",)),
        ("address", register.address, ("address",)), ("by", register.by, ("choice",)),
        ("category", register.category, ("choice",)), ("also_if", register.also_if, ("yes-no",)),
    ):  # fmt: skip
        if code and (code not in known or known[code].type not in kinds):
            raise ValueError(f"« people.{key} » : « {code} » n’est pas du type {' ou '.join(kinds)}")
    if strange := set(register.oneself) - set(known[register.by].choices):
        raise ValueError(f"« people.oneself » : « {min(strange)} » n’est pas une réponse possible")
    if bool(register.also) != bool(register.also_if):
        raise ValueError("« people.also » et « people.also_if » vont ensemble")


def check_fees(procedure: Procedure) -> None:
    asked = {one.code: one.type for one in procedure.questions()}
    found = {one.code: one.type for one in procedure.finding}
    for fee in procedure.fee:
        for key, code, kind, known in (
            ("means", fee.means, "number", asked), ("children", fee.children, "number", asked),
            ("lives", fee.lives, "yes-no", asked), ("proof", fee.proof, "file", asked),
            ("checked", fee.checked, "number", found),
        ):  # fmt: skip
            if code and known.get(code) != kind:
                raise ValueError(f"« fee.{key} » : « {code} » n’est pas du type {kind}")
        check_condition(procedure, fee.when, "fee.when")


def check_conditions(procedure: Procedure) -> None:
    """Refuse what a form without script could not do: a question that hangs on another of its own page."""
    earlier: dict[str, Question] = {}
    for step in procedure.step:
        for question in step.field:
            if question.when is None:
                continue
            known = earlier.get(question.when.field)
            if known is None or known.type not in ("choice", "yes-no"):
                raise ValueError(
                    f"le champ « {question.code} » : « when.field » nomme un choix ou un oui-non d’une étape précédente"
                )
            answers = set(known.choices) if known.type == "choice" else {"oui", "non"}
            if strange := set(question.when.among) - answers:
                raise ValueError(f"le champ « {question.code} » : « {min(strange)} » n’est pas une réponse possible")
        earlier |= {one.code: one for one in step.field}
