"""Operate a deployment."""
