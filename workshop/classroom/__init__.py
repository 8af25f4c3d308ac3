"""A class on one server: who may sign in, the hub's certificate, and what a student's server offers behind the hub."""
