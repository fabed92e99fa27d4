"""A console driven from outside, through a pseudo-terminal: its speed, its endings, and texts to try it with."""
