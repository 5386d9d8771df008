"""Talking to the Prefect server from inside a run, patiently: it may be restarting."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.deployments import run_deployment
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runtime import flow_run
from prefect.states import State

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

PATIENCE = 300.0  # seconds without a server before a run gives up
_POLL = 2.0  # seconds
_PASSING = frozenset({408, 429, 500, 502, 503, 504})  # 500: SQLite's "database is locked"


def patiently(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`call(*args, **kwargs)`, tried again with doubling pauses while the server cannot be reached or is overloaded.

    A run's own work goes on without a server; only what it reports has to wait. Prefect's client waits too, but not
    on the first call of a new client, and each artifact makes a new one.
    """
    deadline, pause = time.monotonic() + PATIENCE, 0.5
    while True:
        try:
            return call(*args, **kwargs)
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            status = error.response.status_code if isinstance(error, PrefectHTTPStatusError) else None
            if (status is not None and status not in _PASSING) or time.monotonic() > deadline:
                raise
            log.warning("the Prefect server does not answer (%s); trying again in %.0f s", error, pause)
        time.sleep(pause)
        pause = min(2 * pause, 20.0)


def sync_client() -> SyncPrefectClient:
    """A client for blocking calls."""
    client: Any = get_client(sync_client=True)
    return client


def start(deployment: str, parameters: Mapping[str, Any], key: str) -> UUID:
    """Start a run of `deployment` as a sub-run of this one, once, however often it has to be asked for; its id.

    Args:
        deployment: as `FLOW/DEPLOYMENT`.
        parameters: of the flow.
        key: tells the sub-runs of one run from each other.
    """
    run: Any = patiently(
        run_deployment,
        deployment,
        parameters=dict(parameters),
        timeout=0,
        idempotency_key=f"{flow_run.id}-{flow_run.run_count}-{key}",  # a retry starts it anew
    )
    id: UUID = run.id
    return id


def wait_for(id: UUID) -> State[Any]:
    """Wait for the end of a run, and give its last state."""
    with sync_client() as client:
        while True:
            state = patiently(client.read_flow_run, id).state
            if state is not None and state.is_final():
                return state
            time.sleep(_POLL)
