"""Rounds: stops shared out between vehicles on our own streets, timed, compared with today's, mended by hand."""
