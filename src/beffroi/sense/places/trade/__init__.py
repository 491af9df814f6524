"""How shops and firms fare (10-09): accounts, notices and what shops say, by street and by sector, never one alone."""
