"""What do people ask, who answers, and when? The common life of a request, whatever it is about."""
