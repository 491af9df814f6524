"""WHO, WHERE, WHEN, WHAT HAPPENED: the ground floor, which imports no other floor."""
