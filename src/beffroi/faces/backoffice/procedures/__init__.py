"""Procedures, as agents treat them: the queue of their services, a request, what may be done about it."""
