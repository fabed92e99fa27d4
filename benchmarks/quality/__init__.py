"""What `benchmarks/routing.py` measures, and against what."""
