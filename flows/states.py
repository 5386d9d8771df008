"""States that tell the truth in words an operator can act on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec

from prefect import get_run_logger
from prefect.states import Failed, State

from revista.errors import RevistaError

P = ParamSpec("P")


def told(work: Callable[P, State[Any]], *args: P.args, **kwargs: P.kwargs) -> State[Any]:
    """The state in which `work` ends; on an expected error Failed, with what happened and what to do, no traceback.

    Any other error is a bug and stays an exception: also Failed, with the traceback in the log.
    """
    try:
        return work(*args, **kwargs)
    except RevistaError as error:
        get_run_logger().error("%s", error)
        return Failed(message=str(error), data=error)
