"""An issue on a small scale: what a stage does, what a folder holds, what lies in the store."""

import json
from pathlib import Path

from revista.objects.stores import open_bucket

ISSUE = "social-1929-06-v14-n6"


def work(folder: Path, page: int, text: str) -> None:
    """What a stage does, on a small scale: a picture, then the record that names it."""
    for name, content in ((f"pictures/{page:04d}-r01.jpg", text * 100), (f"regions/{page:04d}.json", f'"{text}"')):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(".unfinished")
        unfinished.write_text(content)
        unfinished.replace(place)
    (folder / "issue.json").write_text(json.dumps({"id": ISSUE}))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def objects(url: str) -> list[str]:
    return [stored.path for stored in open_bucket(url).paths(f"issues/{ISSUE}/files")]


def steal(url: str) -> None:
    """Make the lease look given back, as no worker would do to another one's."""
    path = f"leases/{ISSUE}.json"
    bucket = open_bucket(url)
    owner = json.loads(bucket.get(path) or b"")
    bucket.put(path, json.dumps(owner | {"released": True, "token": "a thief's"}).encode())
