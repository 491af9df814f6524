"""Runs the examples that use cases carry: each is its own test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import engine
from beffroi.base.kernel.errors import BeffroiError


class ExampleFailed(BeffroiError):
    """What came of an example is not what its file says."""


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Do what the example says through its engine and compare what came of it with `then`, key by key.

    Raises:
        ExampleFailed: a key of `then` is absent or has another value, or the engine cannot run examples.
    """
    known = engine(use_case.engine)
    if known is None or known.example_runner is None:
        raise ExampleFailed(
            "exemple {number} : le moteur « {engine} » ne sait pas exécuter d’exemple",
            where=use_case.source,
            remedy='laissez state = "draft" en attendant',
            number=example.number,
            engine=use_case.engine,
        )
    outcome = known.example_runner(use_case, example)
    for key, expected in example.then.items():
        got = outcome.get(key)
        if key not in outcome or got != expected:
            raise ExampleFailed(
                "exemple {number} : {key} vaut {got} au lieu de {expected}",
                where=use_case.source,
                remedy="corrigez l’exemple ou le moteur « {engine} »",
                number=example.number,
                key=key,
                got=repr(got),
                expected=repr(expected),
                engine=use_case.engine,
            )
    return outcome
