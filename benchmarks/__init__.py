"""Measured claims, with limits or peers beside them in the same run."""
