"""What is known about people: why, until when, given back and erased on request. From declarations on the models."""
