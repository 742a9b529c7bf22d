"""A shop's traffic against a running instance, and what came of it: `angarium demo`."""
