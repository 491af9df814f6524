"""Procedures, as residents ask for them: the list, the form step by step, the follow-up, the check of a document."""
