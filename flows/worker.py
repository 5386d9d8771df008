"""Prefect's worker, `python -m flows.worker start ...`, but for one thing: a run retried too soon does not end it.

A run may be retried while its earlier process still lives: it has just ended, or was taken for dead while its server
was away. Prefect's worker then finds the run's own place taken, ends with a RuntimeError, and all its runs with it.
Here such a run waits until its earlier process is gone.
"""

from __future__ import annotations

import sys
from typing import Any


def one_process_a_run() -> None:
    """Have workers leave a run alone of which they still have a process."""
    from prefect.workers.base import BaseWorker

    submit = BaseWorker._submit_scheduled_flow_runs

    async def submit_those_without(self: Any, flow_run_response: list[Any]) -> Any:
        held = self._limiter.statistics().borrowers if self._limiter else ()
        free = [entry for entry in flow_run_response if entry.flow_run.id not in held]
        return await submit(self, free)

    BaseWorker._submit_scheduled_flow_runs = submit_those_without  # type: ignore[method-assign]


if __name__ == "__main__":
    from prefect.cli import app

    one_process_a_run()
    sys.argv = ["prefect", "worker", *sys.argv[1:]]
    app()
