"""What is wrong with an XML document, in words: entities, which are refused, and what is not well formed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError

from beffroi.lake.reading import Unreadable


@contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """Tell what the guarded parser refuses while it reads `path`.

    Raises:
        Unreadable: the document declares entities, or is not well formed; says where.
    """
    try:
        yield
    except DefusedXmlException as error:
        raise Unreadable(
            "ce document XML définit des entités, qui sont refusées",
            where=path.name,
            remedy="publiez-le sans DOCTYPE ni entités",
        ) from error
    except ParseError as error:
        line, column = error.position
        raise Unreadable(
            "XML incorrect à la colonne {column}",
            where=f"{path.name}:{line}",
            remedy="le fichier est peut-être tronqué : publiez-le à nouveau",
            column=column + 1,
        ) from error
