"""How the shipped weights were made: from which data, under which licences, and how well they do.

`python -m training NAME --data DIR --out DIR` trains one part again.
"""
