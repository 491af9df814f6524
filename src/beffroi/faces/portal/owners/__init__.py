"""The pages about owners of premises: a reason, a search, a record that is logged, the log."""
