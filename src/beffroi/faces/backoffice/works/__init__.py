"""`/agent/travaux/`: works described, their scenarios compared, then published."""
