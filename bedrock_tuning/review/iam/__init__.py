"""Policies: simulation, containment, wildcards and conditions."""
