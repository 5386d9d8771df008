"""`revista models`: verifying what is here, pulling from a hub on loopback that speaks the real protocol."""

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from revista import checkpoints
from revista.errors import BadArguments, ExitCode, MissingWeights
from revista.registry import FOLDER_VARIABLE, read_lock
from revista.settings import Settings
from revista.store import sha256_of
from revista.weights import find_weights

from .conftest import environment, revista
from .fake_hub import FakeHub, Files, hub
from .model_folders import models_like_ours
from .tiny_models import save_blip, save_clip

BLIP = "Salesforce/blip-image-captioning-base"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("tiny")
    return save_blip(root / "blip"), save_clip(root / "clip")


@pytest.fixture
def models(tiny: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with the tiny checkpoints as the compact ones; this process and `models_command` use it."""
    folder = models_like_ours(tmp_path / "models", *tiny)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.delenv("REVISTA_PROFILE", raising=False)
    return folder


@pytest.fixture
def server() -> Iterator[FakeHub]:
    with hub() as running:
        yield running


def models_command(
    models: Path, *arguments: str, address: str = "http://127.0.0.1:9", **options: object
) -> subprocess.CompletedProcess[str]:
    """`revista models ...` with a hub at `address`; by default one that nobody answers at."""
    variables = {"HF_ENDPOINT": address, "HF_HOME": str(models / "cache"), "HF_HUB_OFFLINE": "0"}
    env = environment(**variables, **{FOLDER_VARIABLE: str(models)})
    return revista("models", *arguments, env=env, **options)


def files_of_blip(tiny: tuple[Path, Path]) -> Files:
    """What the hub's repository of BLIP holds: the checkpoint, and what is not wanted of it."""
    files = {file.name: file.read_bytes() for file in tiny[0].iterdir()}
    return {**files, "pytorch_model.bin": b"pickled", "README.md": b"card", "onnx/config.json": b"{}"}


# --- what is shipped ------------------------------------------------------------------------------------------


def test_whole_models_are_verified_and_loaded(models: Path) -> None:
    result = checkpoints.verify()
    assert result.verified == ("compact-captioner", "compact-clip", "compact-regions") and result.flaws == ()
    assert result.files == sum(len(list(folder.iterdir())) for folder in (models / "compact").iterdir())
    weights = find_weights(str(Settings().captions.model))
    assert weights.name == "compact-captioner" and weights.folder == models / "compact" / "captioner"
    assert weights.hashes()["model.safetensors"] == sha256_of(weights.folder / "model.safetensors")


def damage_torn(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def damage_pointer(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")


def damage_gone(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def damage_line_ends(folder: Path) -> None:
    text = (folder / "config.json").read_bytes()
    (folder / "config.json").write_bytes(text.replace(b"\n", b"\r\n"))


def damage_folder(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("damage", "file", "says"),
    [
        (damage_torn, "model.safetensors", "torn"),
        (damage_pointer, "model.safetensors", "bytes in place of"),
        (damage_gone, "tokenizer.json", "missing"),
        (damage_line_ends, "config.json", "bytes in place of"),
        (damage_folder, "model.safetensors", "missing"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_damaged_model_is_told_and_not_loaded(models: Path, damage: object, file: str, says: str) -> None:
    damage(models / "compact" / "captioner")  # type: ignore[operator]
    result = checkpoints.verify()
    told = {flaw.file: flaw for flaw in result.flaws}
    assert {flaw.model for flaw in result.flaws} == {"compact-captioner"}
    assert says in told[file].message and "git checkout" in told[file].hint
    with pytest.raises(MissingWeights, match="compact-captioner") as caught:
        find_weights("compact-captioner")
    assert "git checkout" in caught.value.hint and "none" in caught.value.hint


def test_a_changed_byte_and_a_stray_file_are_told(models: Path) -> None:
    folder = models / "compact" / "clip"
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"")
    done = models_command(models, "verify", "--json")
    assert done.returncode == ExitCode.MISSING_WEIGHTS
    flaws = {flaw["file"]: flaw for flaw in json.loads(done.stdout)["flaws"]}
    assert set(flaws) == {"model.safetensors", "model-00002-of-00002.safetensors"}
    assert "content was changed" in flaws["model.safetensors"]["message"]
    assert flaws["model-00002-of-00002.safetensors"]["hint"].startswith("Remove ")
    human = models_command(models, "verify")
    assert human.returncode == ExitCode.MISSING_WEIGHTS
    assert "✓ compact-captioner" in human.stdout and "git checkout" in human.stderr


def test_list(models: Path) -> None:
    listed = json.loads(models_command(models, "list", "--json").stdout)
    assert listed["profiles"]["standard"]["captioner"] == "blip-base"
    by_id = {model["id"]: model for model in listed["models"]}
    assert by_id["compact-clip"]["state"] == "shipped" and by_id["compact-clip"]["bytes"] > 0
    assert by_id["blip-base"]["state"] == "not pulled" and by_id["blip-base"]["bytes"] is None
    human = models_command(models, "list")
    assert human.returncode == 0 and BLIP in human.stdout and "BSD-3-Clause" in human.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["verify", "enormous"], ExitCode.BAD_ARGUMENTS, "compact, standard, compact-captioner"),
        (["verify", "blip-base"], ExitCode.MISSING_WEIGHTS, "revista models pull blip-base"),
        (["pull", "compact"], ExitCode.BAD_ARGUMENTS, "travel with the repository"),
        (["pull", "standard", "--revision", "main"], ExitCode.BAD_ARGUMENTS, "one by one"),
        (["pull"], ExitCode.BAD_ARGUMENTS, "Missing argument"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_exit_codes(models: Path, arguments: list[str], code: ExitCode, says: str) -> None:
    done = models_command(models, *arguments)
    assert done.returncode == code and says in done.stderr
    assert "Traceback" not in done.stderr


# --- pulling --------------------------------------------------------------------------------------------------


def test_pull_fetches_locks_and_is_not_needed_again(models: Path, tiny: tuple[Path, Path], server: FakeHub) -> None:
    with pytest.raises(MissingWeights, match="has not been pulled") as caught:
        find_weights("blip-base")
    assert "revista models pull blip-base" in caught.value.hint

    commit = server.put(BLIP, files_of_blip(tiny))
    done = models_command(models, "pull", "blip-base", address=server.address)
    assert done.returncode == 0, done.stderr
    locked = read_lock().models["blip-base"]
    assert (locked.hub, locked.revision) == (BLIP, commit)
    assert set(locked.files) == {file.name for file in tiny[0].iterdir()}  # nothing pickled, no other edition
    for name, file in locked.files.items():
        assert file.sha256 == sha256_of(tiny[0] / name)
    assert {f.name for f in (models / "pulled" / "blip-base").iterdir()} == set(locked.files)
    assert not any("pytorch_model" in path or "onnx" in path for path in server.asked)
    assert [f.name for f in (models / "pulled").iterdir()] == ["blip-base"]  # nothing unfinished

    assert checkpoints.verify(["blip-base"]).flaws == ()
    weights = find_weights("blip-base")
    assert weights.name == "blip-base" and weights.hashes()["model.safetensors"]
    assert models_command(models, "pull", "blip-base").returncode == 0  # whole and locked: without a hub
    assert "blip-base" in models_command(models, "verify").stdout


def test_a_damaged_pull_is_mended_from_the_locked_commit_and_from_no_other(
    models: Path, tiny: tuple[Path, Path], server: FakeHub
) -> None:
    files = files_of_blip(tiny)
    commit = server.put(BLIP, files)
    assert models_command(models, "pull", "blip-base", address=server.address).returncode == 0
    place = models / "pulled" / "blip-base" / "model.safetensors"
    place.write_bytes(place.read_bytes()[:1000])
    with pytest.raises(MissingWeights, match="1000 bytes") as caught:
        find_weights("blip-base")
    assert "revista models pull blip-base" in caught.value.hint
    assert models_command(models, "pull", "blip-base", address=server.address).returncode == 0
    assert find_weights("blip-base").folder == place.parent

    # the hub says it has the same commit, and gives something else under its name
    place.unlink()
    server.repositories[BLIP] = commit, {**files, "tokenizer_config.json": b'{"changed": true}'}
    done = models_command(models, "pull", "blip-base", address=server.address)
    assert done.returncode == ExitCode.MISSING_WEIGHTS
    assert "another tokenizer_config.json" in done.stderr and "before you trust it" in done.stderr
    assert read_lock().models["blip-base"].revision == commit

    # a newer commit is taken only where it is asked for
    newer = server.put(BLIP, {**files, "generation_config.json": b"{}"})
    gone = models_command(models, "pull", "blip-base", address=server.address)
    assert gone.returncode == ExitCode.MISSING_WEIGHTS and "RevisionNotFound" in gone.stderr
    asked = models_command(models, "pull", "blip-base", "--revision", "refs/pr/7", address=server.address)
    assert asked.returncode == 0, asked.stderr
    assert read_lock().models["blip-base"].revision == newer
    assert checkpoints.verify(["blip-base"]).flaws == ()


def test_what_a_killed_pull_left_is_no_obstacle(models: Path, tiny: tuple[Path, Path], server: FakeHub) -> None:
    files = files_of_blip(tiny)
    server.put(BLIP, files)
    left = models / "pulled" / ".blip-base.partial"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(files["model.safetensors"][:2000])
    (left / "config.json").write_bytes(b"{}")
    (left / "of_another_commit.json").write_bytes(b"{}")
    old = models / "pulled" / "blip-base"  # its files were renamed into place, and the lock was not written any more
    old.mkdir()
    (old / "model.safetensors").write_bytes(b"of another commit")
    with pytest.raises(MissingWeights, match="has not been pulled"):
        find_weights("blip-base")
    done = models_command(models, "pull", "blip-base", address=server.address)
    assert done.returncode == 0, done.stderr
    assert checkpoints.verify(["blip-base"]).flaws == ()
    assert {f.name for f in old.iterdir()} == {file.name for file in tiny[0].iterdir()} and not left.exists()


@pytest.mark.parametrize("trouble", ["pickled", "torn", "unlike", "unknown"])
def test_what_the_hub_must_not_give(models: Path, tiny: tuple[Path, Path], server: FakeHub, trouble: str) -> None:
    files = files_of_blip(tiny)
    says = {
        "pickled": "no safetensors",
        "torn": "torn",
        "unlike": "announced",
        "unknown": "RepositoryNotFound",
    }[trouble]
    if trouble == "pickled":
        del files["model.safetensors"]
    if trouble == "torn":
        files["model.safetensors"] = files["model.safetensors"][:5000]
    if trouble == "unlike":
        changed = bytearray(files["model.safetensors"])
        changed[-1] ^= 1
        server.announced["model.safetensors"] = bytes(changed)
    if trouble != "unknown":
        server.put(BLIP, files)
    done = models_command(models, "pull", "blip-base", address=server.address)
    assert done.returncode == ExitCode.MISSING_WEIGHTS, done.stderr
    assert says in done.stderr and "Traceback" not in done.stderr
    assert read_lock().models == {} and not (models / "pulled" / "blip-base").exists()


def test_a_full_disk(models: Path, tiny: tuple[Path, Path], server: FakeHub) -> None:
    """The kernel refuses every file beyond 50 kB, as a full disk does; with space again, the pull goes on."""
    server.put(BLIP, files_of_blip(tiny))

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = models_command(models, "pull", "blip-base", address=server.address, preexec_fn=small_files)
    assert done.returncode == ExitCode.STORAGE, done.stderr
    assert "Free some space" in done.stderr and "Traceback" not in done.stderr
    assert read_lock().models == {}
    assert models_command(models, "pull", "blip-base", address=server.address).returncode == 0


def test_a_hub_that_cannot_be_reached_is_told_soon(models: Path) -> None:
    started = time.monotonic()
    done = models_command(models, "pull", "standard")
    assert time.monotonic() - started < 60
    assert done.returncode == ExitCode.MISSING_WEIGHTS
    assert "no weights for blip-base" in done.stderr and "on a machine that has one" in done.stderr
    assert "Traceback" not in done.stderr and read_lock().models == {}


def test_a_folder_copied_from_a_machine_with_a_network(
    models: Path, tiny: tuple[Path, Path], server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(BLIP, files_of_blip(tiny))
    assert models_command(models, "pull", "blip-base", address=server.address).returncode == 0
    shutil.copytree(models, tmp_path / "usb" / "models")
    shutil.rmtree(models)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "usb" / "models"))
    assert find_weights("blip-base").name == "blip-base"
    assert checkpoints.verify().flaws == ()


def test_names(models: Path) -> None:
    assert list(checkpoints.named(["standard", "blip-base"])) == ["blip-base", "clip-vit-b32", "compact-regions"]
    with pytest.raises(BadArguments, match="'none'"):
        checkpoints.named(["none"])
