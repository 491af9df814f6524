"""WHO USES IT: residents, agents, elected officials, other systems. The only floor that speaks HTTP."""
