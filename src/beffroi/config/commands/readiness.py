"""What a command asks for before it begins: a registry that answers and is up to date."""

from __future__ import annotations

from beffroi.base.kernel.errors import BeffroiError


class NotReady(BeffroiError):
    """The registry does not answer or is behind; says what to do first."""


def migrations_behind() -> int:
    """Return how many migrations the registry lacks.

    Raises:
        NotReady: the registry does not answer.
    """
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        raise NotReady(
            "le registre ne répond pas ({reason})",
            where="DATABASE_URL",
            remedy="vérifiez que la base est démarrée et que l’adresse est bonne",
            reason=str(error).strip().splitlines()[0],
        ) from error


def make_registry() -> bool:
    """Create the registry where there is none yet; return whether it did. One that is only behind is left alone.

    Raises:
        NotReady: the registry does not answer.
    """
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    if not migrations_behind() or MigrationRecorder(connection).applied_migrations():
        return False
    from beffroi.config.migrating import migrate

    migrate(verbosity=0)
    return True


def require_registry() -> None:
    """Let a command begin only on a registry that is up to date.

    Raises:
        NotReady: it does not answer, or migrations are to be applied.
    """
    behind = migrations_behind()
    if behind:
        raise NotReady(
            "le registre n’est pas à jour ({count} changement(s) à appliquer)",
            remedy="lancez d’abord : beffroi migrate",
            count=behind,
        )
