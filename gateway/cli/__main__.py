"""`python -m angarium.gateway.cli`: how the supervisor starts its children."""

from angarium.gateway.cli import main

main(prog_name="angarium")
