"""One module per command of the `beffroi` command line."""
