"""Django's SQLite, whose connections may be kept from one request to the next."""
