"""Versions of installed packages, for the headers of records; nothing is imported."""

from importlib.metadata import PackageNotFoundError, version


def versions(*packages: str) -> dict[str, str]:
    """The version of each of the `packages` that is installed, by name.

    One that is not installed is left out: OpenCV, for one, comes in several distributions, of which one is there.
    """
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
