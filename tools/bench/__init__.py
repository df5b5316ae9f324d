"""Benchmarks against peers and limits: `python -m tools.bench`, results in RESULTS.md."""
