"""Benchmarks against peers and limits: `python -m bench`, results in bench/RESULTS.md."""
