"""Measurements of the running product, each beside the least work that could do the same job."""
