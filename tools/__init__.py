"""Developers' tools: benchmarks, fuzzing, public scanners."""
