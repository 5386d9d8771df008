"""The order in which the server's automations see a run's events: Prefect's own, but for the first event of a run.

An event waits until the one that it follows has been seen. The runs that a schedule makes send no event of their first
state, Scheduled, so that Pending (or Late), and with it all that comes after, waits for one that never comes: a
quarter of an hour, and only then is anybody notified. Named in prefect.toml as `server.events.causal_ordering`.
"""

from __future__ import annotations

from prefect.server.events.ordering.memory import CausalOrdering as InMemory
from prefect.server.events.schemas.events import ReceivedEvent

_MAY_BE_FIRST = frozenset({"prefect.flow-run.Pending", "prefect.flow-run.Late"})


class CausalOrdering(InMemory):
    """Prefect's ordering, in which the first event that a scheduled run sends waits for none."""

    async def wait_for_leader(self, event: ReceivedEvent) -> None:
        """Wait for the event that `event` follows, unless that may never have been sent."""
        if event.event not in _MAY_BE_FIRST:
            await super().wait_for_leader(event)
