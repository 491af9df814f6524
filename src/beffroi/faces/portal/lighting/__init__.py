"""`/eclairage/`: the lighting of the town, for who keeps it and who votes its budget."""
