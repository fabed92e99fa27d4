"""A console and a router for language models: the cheapest that is good enough, with reasons, costs and caps."""

__version__ = "0.1.0"
