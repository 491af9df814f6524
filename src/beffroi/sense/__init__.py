"""READ the town: what it knows, made ready for a question."""
