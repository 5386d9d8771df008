#!/usr/bin/env python3
"""Write size and sha256 of the models that travel with the repository into models/registry.toml.

For maintainers, after training: `python scripts/register_models.py`. What the files are is then what `revista models
verify` holds them to. A model whose folder is empty is left without files: not shipped. REVISTA_MODELS names another
folder than models/.
"""

from __future__ import annotations

import re
import sys

from revista.errors import RevistaError
from revista.registry import ModelFile, models_folder, read_registry
from revista.store import sha256_of
from revista.weights import check_files, files_of

LIMIT = 40_000_000  # bytes that all weights in the repository may have together


def without_files(text: str, model: str) -> str:
    """The registry without the table of a model's files."""
    return re.sub(rf"\n*^\[models\.{re.escape(model)}\.files\]\n(?:(?!\[).*\n?)*", "\n", text, flags=re.MULTILINE)


def table(model: str, files: dict[str, ModelFile]) -> str:
    """The table of a model's files in TOML."""
    rows = [f'"{name}" = {{ bytes = {file.bytes}, sha256 = "{file.sha256}" }}' for name, file in files.items()]
    return "\n".join(["", f"[models.{model}.files]", *rows, ""])


def main() -> None:
    """Register all models that have a folder."""
    place = models_folder() / "registry.toml"
    text, tables, total = place.read_text("utf-8"), "", 0
    for id, model in read_registry().models.items():
        if model.folder is None:
            continue
        folder = models_folder() / model.folder
        text = without_files(text, id)
        found = {f.name: ModelFile(bytes=f.stat().st_size, sha256=sha256_of(f)) for f in files_of(folder)}
        if found:
            check_files(folder, id)
            total += sum(file.bytes for name, file in found.items() if name.endswith((".safetensors", ".onnx")))
            tables += table(id, found)
        print(f"{id}: {len(found)} files, {sum(file.bytes for file in found.values()) / 1e6:.1f} MB")
    if total > LIMIT:
        sys.exit(f"the weights have {total / 1e6:.1f} MB together, more than the {LIMIT / 1e6:.0f} MB that may travel")
    place.write_text(text.rstrip("\n") + "\n" + tables, "utf-8")


if __name__ == "__main__":
    try:
        main()
    except RevistaError as error:
        sys.exit(str(error))
