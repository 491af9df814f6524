"""Goods carried by road, or by river or rail and a last mile: kilometres, cost, time, CO2, lorries avoided."""
