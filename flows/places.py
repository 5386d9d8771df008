"""Where archive, inbox and settings are, where a run is not told: from the environment that `make serve` sets."""

from __future__ import annotations

import os
from pathlib import Path

from revista.errors import BadArguments
from revista.settings import Settings, load_settings


def default_archive() -> Path:
    """The archive folder: `REVISTA_ARCHIVE`, else `archive`."""
    return Path(os.environ.get("REVISTA_ARCHIVE") or "archive")


def default_inbox() -> Path:
    """The inbox folder: `REVISTA_INBOX`, else `inbox`."""
    return Path(os.environ.get("REVISTA_INBOX") or "inbox")


def default_settings_file() -> Path | None:
    """The settings file: `REVISTA_SETTINGS`, else none (then `revista.toml`, where there is one)."""
    named = os.environ.get("REVISTA_SETTINGS")
    return Path(named) if named else None


def reports_url() -> str | None:
    """The address under which `make serve` shows the issues' reports; None where it does not."""
    return os.environ.get("REVISTA_REPORTS_URL") or None


def read_settings(file: Path | None) -> tuple[Settings, Path | None]:
    """The settings, and the file that they were read from, as the tasks of a run are to be told.

    Raises:
        BadArguments: the file cannot be read, or holds what is not a setting.
    """
    named = file or default_settings_file()
    if named is not None and not named.is_file():
        raise BadArguments(f"{named}: no such settings file", "Name another one in the run's settings_file.")
    return load_settings(named), named
