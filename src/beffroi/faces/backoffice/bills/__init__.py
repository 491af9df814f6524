"""The bills of the town, kept by the agents of one service: units, months, families, payments, refunds, the bank."""
