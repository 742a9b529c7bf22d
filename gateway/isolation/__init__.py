"""Strangers' plugins, each in a process of its own; docs/decisions/isolation.md says why."""
