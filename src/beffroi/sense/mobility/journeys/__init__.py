"""Ways of going from one place to another, side by side: time, cost, CO2."""
