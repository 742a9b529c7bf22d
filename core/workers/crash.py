"""Named points at which a drill may kill the process, to show that nothing is lost or repeated."""

import os
import signal

VARIABLE = "ANGARIUM_CRASH_AT"
"""`name` dies the first time the point is reached, `name:3` the third time."""


class CrashPlan:
    """Counts the visits to the point that the environment names."""

    def __init__(self, plan: str) -> None:
        self.point, _, count = plan.partition(":")
        self.left = int(count or 1)

    def visit(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_plan = CrashPlan(os.environ.get(VARIABLE, ""))


def crash_point(name: str) -> None:
    """Die here, without any clean-up, when the drill asks for it; else nothing."""
    _plan.visit(name)
