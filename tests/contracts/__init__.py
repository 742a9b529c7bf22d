"""Suites that every implementation of a part passes."""

from pathlib import Path

THINGS = Path(__file__).with_name("queries")
"""Queries on two tables of their own, which the contract of the store is tried with."""
