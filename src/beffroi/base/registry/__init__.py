"""HOW IT IS WRITTEN DOWN: statements of the registry compiled once, for what is asked or written at every request."""
