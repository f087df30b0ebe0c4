"""Capturing and judging anchors for each version of a client."""
