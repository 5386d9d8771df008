"""Finding checkpoints: local folders, hub ids without a hub, and all that may be wrong with the files."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from revista.errors import ExitCode, MissingWeights
from revista.store import sha256_of
from revista.weights import find_weights


def checkpoint(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "blip", **config}))
    save_file({"w": np.arange(1000, dtype=np.float32)}, folder / "model.safetensors")
    return folder


def refused(spec: str | Path) -> MissingWeights:
    with pytest.raises(MissingWeights) as caught:
        find_weights(str(spec))
    assert caught.value.hint and caught.value.exit_code is ExitCode.MISSING_WEIGHTS
    return caught.value


# --- local folders ---


def test_a_whole_checkpoint(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "tiny")
    (folder / "vocab.txt").write_text("a\nb\n")
    (folder / "README.md").write_text("not a part of the model")
    found = find_weights(str(folder))
    assert (found.folder, found.name, found.config()) == (folder, "tiny", {"model_type": "blip"})
    assert found.hashes() == {
        name: sha256_of(folder / name) for name in ("config.json", "model.safetensors", "vocab.txt")
    }


def test_a_relative_folder_goes_before_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint(tmp_path / "models" / "tiny")
    monkeypatch.chdir(tmp_path)
    for spec in ("models/tiny", "./models/tiny", "models/../models/tiny/"):
        assert find_weights(spec).name == "tiny"
    monkeypatch.chdir(tmp_path / "models" / "tiny")
    assert find_weights(".").name == "tiny"


def test_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint(tmp_path / "tiny")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_weights("~/tiny").name == "tiny"


def test_a_changed_file_has_a_new_hash_and_an_unchanged_one_is_read_once(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "tiny")
    found = find_weights(str(folder))
    before = found.hashes()
    times = (folder / "model.safetensors").stat()
    save_file({"w": np.arange(1, 1001, dtype=np.float32)}, folder / "model.safetensors")
    os.utime(folder / "model.safetensors", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert found.hashes() == before  # the price of not reading gigabytes for each page
    os.utime(folder / "model.safetensors", ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    after = found.hashes()
    assert after["model.safetensors"] != before["model.safetensors"]
    assert after["config.json"] == before["config.json"]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused(tmp_path: Path, name: str) -> None:
    folder = checkpoint(tmp_path / "old")
    (folder / "model.safetensors").rename(folder / name)
    error = refused(folder)
    assert name in error.message and "pickled" in error.message and "save_pretrained" in error.hint


def test_pickled_weights_beside_safetensors_do_no_harm(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "both")
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    assert "pytorch_model.bin" not in find_weights(str(folder)).hashes()


def test_missing_parts(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "safetensors" in refused(tmp_path / "empty").message
    (checkpoint(tmp_path / "no-config") / "config.json").unlink()
    assert "config.json" in refused(tmp_path / "no-config").message
    assert "no such folder" in refused(tmp_path / "nothing").message


@pytest.mark.parametrize("left", [0, 4, 100, -1])
def test_torn_weights(tmp_path: Path, left: int) -> None:
    file = checkpoint(tmp_path / "torn") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:left])
    error = refused(tmp_path / "torn")
    assert "torn" in error.message and f"{file.stat().st_size} bytes" in error.message and "sha256" in error.hint


def test_what_only_calls_itself_safetensors(tmp_path: Path) -> None:
    file = checkpoint(tmp_path / "fake") / "model.safetensors"
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n")
    assert "torn" in refused(tmp_path / "fake").message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_torn_configuration(tmp_path: Path, content: bytes) -> None:
    (checkpoint(tmp_path / "torn") / "config.json").write_bytes(content)
    assert "config.json" in refused(tmp_path / "torn").message


def test_shards(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "large")
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    names = [f"model-{i:05d}-of-00003.safetensors" for i in (1, 2, 3)]
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict(zip("abc", names, strict=True))}))
    for name in names:
        assert "safetensors" in refused(folder).message
        save_file({"w": np.zeros(3, dtype=np.float32)}, folder / name)
    assert set(names) | {index.name, "config.json"} == set(find_weights(str(folder)).hashes())
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere/model.safetensors"}}))
    assert "../elsewhere" in refused(folder).message
    for wrong in ({}, {"weight_map": {}}, {"weight_map": []}):
        index.write_text(json.dumps(wrong))
        assert "not whole" in refused(folder).message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "closed")
    (folder / "config.json").chmod(0)
    assert "rights" in refused(folder).hint


@pytest.mark.parametrize(
    "spec",
    [
        "",
        " ",
        "name",
        "a/b/c",
        "/no/such/folder",
        "./missing",
        "~nobody-of-this-name/x",
        "../../etc",
        "org/..",
        "../name",
        "org/.git",
        "org/na..me",
        "-o/name",
        "org/name@",
        "org/name@../main",
        "org/name@a@b",
        "org/name\n",
        "org/na me",
        "órg/name",
        "https://example.org/org/name",
        "org/name\0",
        "x" * 5000,
        "o" * 97 + "/name",
    ],
)
def test_what_is_neither_folder_nor_hub_id(spec: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no such folder" in refused(spec).message


# --- kinds ---


def test_require(tmp_path: Path) -> None:
    kinds = ({"blip"}, {"BlipForConditionalGeneration"}, "the captioner")
    find_weights(str(checkpoint(tmp_path / "plain"))).require(*kinds)
    right = checkpoint(tmp_path / "right", architectures=["BlipForConditionalGeneration"])
    find_weights(str(right)).require(*kinds)
    for name, config in {
        "qa": {"architectures": ["BlipForQuestionAnswering"]},
        "clip": {"model_type": "clip"},
        "none": {"model_type": None},
    }.items():
        folder = checkpoint(tmp_path / name, **config)
        with pytest.raises(MissingWeights, match="cannot be the captioner"):
            find_weights(str(folder)).require(*kinds)


# --- the hub, which tests never reach ---

ASK = """
import sys
from revista.errors import MissingWeights
from revista.weights import find_weights
try:
    print(find_weights(sys.argv[1]).folder)
except MissingWeights as error:
    sys.exit(f"{error.message} | {error.hint}")
"""


def ask(spec: str, cache: Path, **variables: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Look for `spec` in a process of its own, with a hub cache of its own."""
    environment = {**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "0", **variables}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ASK, spec], env=environment, capture_output=True, text=True, timeout=120
    )
    return time.monotonic() - start, done


@pytest.mark.parametrize("trouble", ["refuses", "swallows", "offline"])
def test_a_hub_that_cannot_be_reached_is_told_soon(tmp_path: Path, trouble: str) -> None:
    with socket.socket() as hub:
        hub.bind(("127.0.0.1", 0))
        if trouble != "refuses":
            hub.listen(50)  # takes connections and never answers
        address = f"http://127.0.0.1:{hub.getsockname()[1]}"
        offline = "1" if trouble == "offline" else "0"
        seconds, done = ask("org/name@abc", tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE=offline)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "no weights for org/name@abc" in done.stderr and "local folder" in done.stderr
    assert seconds < 60  # without a limit it would be for ever


def in_cache(cache: Path, revision: str, commit: str, files: dict[str, bytes]) -> Path:
    """A snapshot of org/name as the hub's library leaves it."""
    repository = cache / "hub" / "models--org--name"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / revision).write_text(commit)
    for name, content in files.items():
        (snapshot / name).write_bytes(content)
    return snapshot


def test_what_was_fetched_once_is_found_without_a_hub(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "source")
    files = {file.name: file.read_bytes() for file in source.iterdir()}
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = in_cache(tmp_path / "cache", "main", commit, files)
    for spec in ("org/name", "org/name@main", f"org/name@{commit}"):
        _, done = ask(spec, tmp_path / "cache", HF_ENDPOINT="http://127.0.0.1:9")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(snapshot)
    _, other = ask("org/name@v2", tmp_path / "cache", HF_ENDPOINT="http://127.0.0.1:9")
    assert other.returncode == 1 and "no weights for org/name@v2" in other.stderr


def test_looking_for_weights_imports_neither_torch_nor_transformers(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "tiny")
    code = (
        "import sys; from revista.weights import find_weights; find_weights(sys.argv[1]).hashes();"
        "sys.exit(bool({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], timeout=60).returncode == 0
