"""States that tell the truth in words an operator can act on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec
from uuid import UUID

from prefect import get_run_logger
from prefect.exceptions import Pause
from prefect.runtime import flow_run
from prefect.states import Cancelled, Failed, State

from flows.api import patiently, sync_client
from flows.heartbeats import heartbeats
from revista.errors import RevistaError

P = ParamSpec("P")


def told(work: Callable[P, State[Any]], *args: P.args, **kwargs: P.kwargs) -> State[Any]:
    """The state in which `work` ends; on an expected error Failed, with what happened and what to do, no traceback.

    Any other error is a bug and stays an exception: also Failed, with the traceback in the log. A sub-run that stops
    because the run above it was suspended is Cancelled: Prefect would leave it Running for good.
    """
    try:
        with heartbeats():
            return work(*args, **kwargs)
    except RevistaError as error:
        get_run_logger().error("%s", error)
        return Failed(message=str(error), data=error)
    except Pause:
        if flow_run.parent_flow_run_id and flow_run.id:
            message = "suspended with the run above it; when that is resumed, it goes on as a new sub-run"
            with sync_client() as client:
                patiently(client.set_flow_run_state, UUID(flow_run.id), Cancelled(message=message), force=True)
        raise
