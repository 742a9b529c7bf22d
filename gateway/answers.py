"""What the schema tells of answers: their shape, and one example that a test holds true."""

from typing import Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from angarium.gateway.problems import ProblemBody


def told(kind: Any, example: Any, description: str = "As asked for.") -> ResponseSpec:
    """An answer of that shape."""
    return ResponseSpec(
        kind,
        description=description,
        generate_examples=False,
        examples=[Example(summary="For example", value=example)],
    )


def refused(description: str) -> ResponseSpec:
    """A problem (RFC 9457)."""
    return ResponseSpec(
        ProblemBody,
        description=description,
        media_type="application/problem+json",
        generate_examples=False,
    )
