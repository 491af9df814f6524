"""WHAT HAPPENED: append-only events, the outbox that delivers them, the audit."""
