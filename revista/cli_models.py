"""`revista models list`, `verify`, `pull`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from revista.errors import ExitCode
from revista.terminal import JsonOption, err, out, print_json, tell_hint

models = typer.Typer(
    help="The models that revista knows: which are here, and fetching the others.", no_args_is_help=True
)

NamesArgument = Annotated[list[str], typer.Argument(help="Models or profiles, as `revista models list` names them.")]


@models.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """Show profiles and models: where their files are, how large, under which licence."""
    from revista import checkpoints
    from revista.registry import read_registry

    registry, states = read_registry(), checkpoints.states()
    if as_json:
        profiles = {name: profile.model_dump(mode="json") for name, profile in registry.profiles.items()}
        print_json({"profiles": profiles, "models": [state.model_dump(mode="json") for state in states]})
        return
    for name, profile in registry.profiles.items():
        out.print(f"[bold]{name}[/]: {escape(profile.summary)}", soft_wrap=True)
    out.print()
    for state in states:
        size = f"{state.bytes / 1e6:,.1f} MB" if state.bytes is not None else "size known once pulled"
        out.print(f"[bold]{state.id}[/] ({', '.join(state.profiles) or 'no profile'})", soft_wrap=True)
        table = Table(box=None, padding=(0, 2), show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in (
            ("what", f"{state.role}: {state.summary}"),
            ("language", state.language),
            ("licence", state.licence),
            ("state", f"{state.state}, {size}" if state.bytes is not None or state.hub else state.state),
            ("place", str(state.folder)),
            ("hub", f"{state.hub}@{state.revision}" if state.revision else state.hub),
            ("card", f"models/{state.card}" if state.card else None),
        ):
            if value:
                table.add_row(label, escape(value))
        out.print(table)


@models.command()
def verify(names: NamesArgument = [], as_json: JsonOption = False) -> None:  # noqa: B006  # Typer reads the default
    """Compare the files' sha256 with the registry (shipped models) or the lock (pulled ones); default: all."""
    from revista import checkpoints

    result = checkpoints.verify(names)
    if as_json:
        print_json(result)
    else:
        for flaw in result.flaws:
            err.print(f"[red]✗[/] {escape(flaw.message)}", soft_wrap=True)
            tell_hint(flaw.hint)
        whole = [id for id in result.verified if id not in {flaw.model for flaw in result.flaws}]
        for id in whole:
            out.print(f"[green]✓[/] {escape(id)}")
        if not result.verified:
            out.print("no model is shipped with this version, and none was pulled")
    if result.flaws:
        raise typer.Exit(ExitCode.MISSING_WEIGHTS)


@models.command()
def pull(
    names: NamesArgument,
    revision: Annotated[
        str | None, typer.Option(help="Commit, tag, branch or refs/pr/N; default: the lock's, else the main branch.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch models from their hub (safetensors only) and write revision and sha256 into models/lock.json."""
    from revista import checkpoints
    from revista.errors import BadArguments

    chosen = checkpoints.named(names)
    wanted = {id: model for id, model in chosen.items() if model.hub is not None}
    if not wanted:
        raise BadArguments(
            f"{', '.join(chosen)}: nothing to pull, these travel with the repository", "Try: revista models verify"
        )
    if revision and len(wanted) > 1:
        raise BadArguments("one --revision cannot be meant for several models", "Pull them one by one.")
    got = {}
    for id, model in wanted.items():
        got[id] = checkpoints.pull(id, model, revision)
        if not as_json:
            out.print(f"[green]✓[/] {escape(id)}: {got[id].hub}@{got[id].revision}", soft_wrap=True)
    if as_json:
        print_json({id: pulled.model_dump(mode="json") for id, pulled in got.items()})
