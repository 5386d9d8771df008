"""What the modules of the command line share: how they print, show progress and tell errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from revista.errors import RevistaError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

SettingsOption = Annotated[Path | None, typer.Option("--settings", "-s", help="A TOML file; default: revista.toml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of text for a person.")]


class PerMinute(ProgressColumn):
    """The speed so far, in things a minute."""

    def __init__(self, unit: str) -> None:
        """Keep the name of the things."""
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The column's text for a progress bar."""
        return Text(f"{task.speed * 60:.0f} {self._unit}/min" if task.speed else "", style="dim")


def progress(quiet: bool, unit: str = "pages") -> Progress:
    """Progress bars on standard error, with speed and time left; none where it is no terminal, or with `quiet`."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        PerMinute(unit),
        TimeRemainingColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
    )


def print_json(data: Any) -> None:
    """Print a record or plain JSON values on standard output."""
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json")
    ascii_only = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")  # a terminal or locale of the old kind
    sys.stdout.write(json.dumps(data, ensure_ascii=ascii_only, indent=1) + "\n")


def tell(error: RevistaError) -> None:
    """Print an error and, after an arrow, what to do."""
    err.print(f"[red]error:[/] {escape(error.message)}", soft_wrap=True)
    tell_hint(error.hint)


def tell_hint(hint: str) -> None:
    """Print what to do on standard error, where there is something."""
    if hint:
        err.print(f"  → {escape(hint)}", soft_wrap=True)
