"""Signs of life of the sub-runs of a batch, for the automation that notices crashes (flows/automations.py).

The same events as Prefect's own. But its thread looks only once a second whether its run has ended, and each run waits
for it: for a batch of many issues that was more than all else that Prefect costs. So it is left to the batches.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings, temporary_settings

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds


@contextmanager
def without_prefects() -> Iterator[None]:
    """Flows that are called here send no heartbeats of Prefect's."""
    with temporary_settings(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@contextmanager
def heartbeats() -> Iterator[None]:
    """Send a heartbeat of this run now, and every 30 seconds until the block is left, where Prefect does not."""
    if get_current_settings().flows.heartbeat_frequency is not None:
        yield
        return
    resource = {
        "prefect.resource.id": f"prefect.flow-run.{flow_run.id}",
        "prefect.resource.name": flow_run.name or "",
    }
    ended = threading.Event()

    def beat() -> None:
        while True:
            try:
                emit_event(event="prefect.flow-run.heartbeat", resource=resource)
            except Exception as error:  # a missed one is what the automation allows for
                log.debug("no heartbeat could be sent: %s", error)
            if ended.wait(EVERY):
                return

    context = copy_context()  # with it, the thread knows the server's address
    thread = threading.Thread(target=lambda: context.run(beat), daemon=True, name="heartbeats")
    thread.start()
    try:
        yield
    finally:
        ended.set()
