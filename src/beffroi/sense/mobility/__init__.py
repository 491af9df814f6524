"""How one moves: the graph of the streets, profiles, routes that suit each person, obstacles that count at once."""
