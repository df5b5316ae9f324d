"""Sampled mutation testing: small faults put into the code, to see whether a test notices.

`python -m tools.mutants` draws mutants of each module, runs the tests that cover the changed
line in a copy of the tree, and writes the scores and the survivors to RESULTS.md. A survivor is a
missing test, or a mutant that behaves as the original: then equivalent.toml says why.
"""
