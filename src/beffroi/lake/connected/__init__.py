"""Sources that agents connect from their browser: the same dataset files as those of the repository, kept as rows."""
