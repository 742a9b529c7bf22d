"""Angarium, a self-hosted customer-engagement gateway."""
