"""Prefect's server as `prefect server start` runs it, but for two things.

The UI calls nobody else: its second version asks a statistics service for its settings whatever the server's settings
say. A Content-Security-Policy has the browser refuse that, and anything else that leaves the server's own address.

Writers of an SQLite database wait for each other: Prefect begins most of its transactions as readers that become
writers, and SQLite refuses such a one at once ("database is locked") when another has written meanwhile. On a busy
machine events were lost that way, and with them notifications.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class StayHome:
    """ASGI middleware that adds the policy to every answer."""

    def __init__(self, app: Any) -> None:
        """Wrap an ASGI application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""

        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
            await send(message)

        await self._app(scope, receive, send_with_policy)


def writers_wait() -> None:
    """Begin all explicit transactions on SQLite as writers; plain reading begins none."""
    from prefect.server.database.configurations import AioSqliteConfiguration

    begin = AioSqliteConfiguration.begin_transaction

    def begin_as_writer(self: Any, session: Any, with_for_update: bool = False) -> Any:
        return begin(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_as_writer  # type: ignore[method-assign]


def _main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 4200,
) -> None:
    import uvicorn
    from prefect.server.api.server import create_app

    writers_wait()
    application = StayHome(create_app(final=True))
    uvicorn.run(application, host=host, port=port, log_level="warning", timeout_keep_alive=5)


if __name__ == "__main__":
    typer.run(_main)
