"""`/agent/tournees/`: rounds of collection, from their stops to their papers."""
