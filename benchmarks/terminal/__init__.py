"""A console driven from outside, through a pseudo-terminal, against a model server on the loopback."""
