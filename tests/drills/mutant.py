"""A core with the fault that the drill must catch: it sends again what nobody can know was sent.

Run as `python -m tests.drills.mutant core` instead of `angarium core`.
"""

from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.status import DeliveryState
from angarium.core.store import sweeps
from angarium.gateway.cli import main


def send_again(delivery: Delivery) -> Delivery:
    """What peers do: a send whose outcome is unknown goes back into the queue."""
    fence = delivery.generation + 1
    return move(delivery, DeliveryState.PLANNED, worker=None, generation=fence)


if __name__ == "__main__":
    sweeps.after_lost_worker = send_again
    main()
