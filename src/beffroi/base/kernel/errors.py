"""The one family of errors a person may read: what, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beffroi.base.kernel.sentences import Sentence


class BeffroiError(Exception):
    """Say what went wrong, where, and how to mend it, in French templates a face can translate.

    Rooms subclass it beside the code that raises it and set ``http_status``: faces answer with that status and
    this sentence, never with a 5xx. Keyword values fill the templates.

    >>> str(BeffroiError("colonne « {name} » absente", where="arbres.csv:1", remedy="ajoutez-la", name="insee"))
    'arbres.csv:1 : colonne « insee » absente ; ajoutez-la'
    """

    http_status = 400
    faults: Sequence[dict[str, str]] = ()
    """When many things are wrong at once, each: ``where`` and ``what``, in French."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", **values: Any) -> None:
        self.what = Sentence(what, values)
        self.where = where
        self.remedy = Sentence(remedy, values)
        super().__init__(what)

    def __str__(self) -> str:
        start = f"{self.where} : " if self.where else ""
        end = f" ; {self.remedy}" if self.remedy.template else ""
        return f"{start}{self.what}{end}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process boundaries: imports run in child processes.
        return (_rebuilt, (type(self), self.what, self.where, self.remedy))


def _rebuilt(kind: type[BeffroiError], what: Sentence, where: str, remedy: Sentence) -> BeffroiError:
    error = kind.__new__(kind)
    error.what, error.where, error.remedy = what, where, remedy
    error.args = (what.template,)
    return error


class NotFound(BeffroiError):
    """What was asked does not exist, or the reader may not know that it does."""

    http_status = 404


class Refused(BeffroiError):
    """The reader is known and may not do this."""

    http_status = 403
