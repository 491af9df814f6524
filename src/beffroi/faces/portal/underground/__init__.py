"""`/sous-sol/`: what is under the streets, for agents; what an address is told of it, for all."""
