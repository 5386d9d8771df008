"""What the Prefect server does by itself: it notices runs whose process is gone, and tells somebody of trouble.

A run sends a heartbeat every 30 seconds (`flows.heartbeat_frequency` in prefect.toml). One that is silent for 75 is
taken for dead, and its state becomes Crashed: with the server's own rhythm that is under two minutes after a kill.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from prefect.automations import Automation, CallWebhook, ChangeFlowRunState, EventTrigger, Posture
from prefect.blocks.webhook import Webhook
from prefect.client.schemas.objects import StateType

SILENCE = timedelta(seconds=75)  # two heartbeats and a half
CRASHED = "revista: runs whose process is gone"
NOTIFY = "revista: tell of trouble"
_WEBHOOK = "revista-notify"

_ENDED = (
    "prefect.flow-run.Completed",
    "prefect.flow-run.Completed with problems",
    "prefect.flow-run.Failed",
    "prefect.flow-run.Crashed",
    "prefect.flow-run.Cancelled",
    "prefect.flow-run.Cancelling",
    "prefect.flow-run.Suspended",
    "prefect.flow-run.Paused",
    "prefect.flow-run.AwaitingRetry",
    "prefect.flow-run.Scheduled",
)
_TROUBLE = ("prefect.flow-run.Completed with problems", "prefect.flow-run.Failed", "prefect.flow-run.Crashed")

_MESSAGE = """{
  "run": {{ flow_run.name | tojson }},
  "flow": {{ flow.name | tojson }},
  "state": {{ flow_run.state.name | tojson }},
  "message": {{ (flow_run.state.message or "") | tojson }},
  "url": {{ flow_run | ui_url | tojson }}
}"""


def set_up(notify_url: str | None) -> None:
    """Make the automations on the server, or bring them up to date; without an address nobody is notified."""
    _keep(_crash_detection())
    if notify_url:
        hook = Webhook(method="POST", url=notify_url, headers={"Content-Type": "application/json"})
        id = hook.save(_WEBHOOK, overwrite=True)
        _keep(_notification(id))
    elif (old := _find(NOTIFY)) is not None:
        old.delete()


def _crash_detection() -> Automation:
    """After a heartbeat, another one or the run's end is due; where neither comes, the run is set to Crashed."""
    return Automation(
        name=CRASHED,
        description="A run that sends no heartbeat any more is set to Crashed, so that it can be retried.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *_ENDED},
            for_each={"prefect.resource.id"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message=f"no sign of life for {SILENCE.seconds} s: its process or its machine is gone → Retry this run",
            )
        ],
    )


def _notification(webhook: Any) -> Automation:
    """Each run that ends in trouble is told to the webhook, once."""
    return Automation(
        name=NOTIFY,
        description="Runs that end in Completed with problems, Failed or Crashed are posted as JSON.",
        trigger=EventTrigger(
            expect=set(_TROUBLE),
            for_each={"prefect.resource.id"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[CallWebhook(block_document_id=webhook, payload=_MESSAGE)],
    )


def _find(name: str) -> Automation | None:
    try:
        found: Any = Automation.read(name=name)
    except ValueError:
        return None
    return found


def _keep(wanted: Automation) -> None:
    """Make an automation, or change it where it is another one now.

    An update gives its trigger a new id, and the server then forgets which runs are silent already: those that a stop
    has ended would stay Running for good.
    """
    known = _find(wanted.name)
    if known is None:
        wanted.create()
        return
    wanted.id = known.id
    if wanted.model_dump() != known.model_dump():
        wanted.update()
