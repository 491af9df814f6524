"""What the software of landlords says of their stock: buildings, lots, tickets, meter readings; each sees its own."""
