"""serve/payments: what do people owe the town, and what have they paid? See docs/rooms/payments.md."""
