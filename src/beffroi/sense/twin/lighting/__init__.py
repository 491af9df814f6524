"""Public lighting: the lamps of a town, what they light of its public space, and what another way would cost."""
