"""The registry of models, and what a profile makes of the settings."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from revista import checks
from revista.errors import BadArguments, MissingWeights
from revista.registry import FOLDER_VARIABLE, fill_from_profile, models_folder, read_lock, read_registry
from revista.settings import CaptionsSettings, RankingSettings, Settings, load_settings
from revista.weights import find_weights

from .conftest import ROOT, environment
from .model_folders import models_like_ours, register
from .tiny_models import save_blip, save_clip

REGISTRY = """
schema_version = 1
[profiles.compact]
summary = "small"
captioner = "small"
[profiles.english]
summary = "large"
captioner = "large"
ranker = "judge"
[models.small]
role = "captioner"
summary = "x"
folder = "compact/captioner"
language = "es"
licence = "x"
settings = { prompts = ["", "una fotografía de"], beams = 3 }
[models.small.files]
"config.json" = { bytes = 2, sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" }
[models.large]
role = "captioner"
summary = "x"
hub = "org/large"
language = "en"
licence = "x"
[models.judge]
role = "ranker"
summary = "x"
hub = "org/judge"
language = "en"
licence = "x"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with the registry above, which the settings use; nothing else is set."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    monkeypatch.delenv("REVISTA_PROFILE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "registry.toml").write_text(REGISTRY, "utf-8")
    return tmp_path / "models"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's models folder with tiny checkpoints in it. Read it; do not change it."""
    root = tmp_path_factory.mktemp("ours")
    return models_like_ours(root / "models", save_blip(root / "blip"), save_clip(root / "clip"))


# --- profiles -------------------------------------------------------------------------------------------------


def test_the_profile_names_what_is_not_set(folder: Path) -> None:
    default = load_settings()
    assert default == Settings() and default.profile == "compact"
    assert (default.captions.model, default.ranking.model) == ("small", None)  # it has no ranker
    english = Settings(profile="english")
    assert (english.captions.model, english.ranking.model) == ("large", "judge")
    nothing = Settings(profile="none")
    assert (nothing.captions.model, nothing.ranking.model) == (None, None)


def test_a_registered_model_brings_what_suits_it(folder: Path) -> None:
    small = Settings().captions
    assert (small.language, small.beams, small.prompts) == ("es", 3, ("", "una fotografía de"))
    assert Settings(profile="english").captions == CaptionsSettings(model="large")
    by_hand = Settings(profile="none", captions=CaptionsSettings(model="small")).captions
    assert by_hand == small
    elsewhere = Settings(captions=CaptionsSettings(model="/some/folder")).captions
    assert elsewhere == CaptionsSettings(model="/some/folder")


def test_what_the_user_sets_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("revista.toml").write_text('profile = "english"\n[captions]\nmodel = "small"\nbeams = 7\n')
    chosen = load_settings()
    assert (chosen.captions.model, chosen.captions.beams, chosen.captions.language) == ("small", 7, "es")
    assert chosen.ranking.model == "judge"
    monkeypatch.setenv("REVISTA_CAPTIONS__LANGUAGE", "en")
    monkeypatch.setenv("REVISTA_RANKING__MODEL", "none")
    chosen = load_settings()
    assert (chosen.captions.language, chosen.captions.beams, chosen.ranking.model) == ("en", 7, None)
    monkeypatch.setenv("REVISTA_PROFILE", "none")
    assert load_settings().captions.model == "small"


@pytest.mark.parametrize("profile", ["compact", "english", "none"])
@pytest.mark.parametrize("model", [None, "", "none"])
def test_a_model_left_out_stays_out(folder: Path, profile: str, model: str | None) -> None:
    chosen = Settings(profile=profile, captions=CaptionsSettings(model=model))
    assert chosen.captions.model is None
    assert chosen.ranking == Settings(profile=profile).ranking
    for settings in (chosen, Settings(profile=profile)):
        assert Settings(**settings.model_dump()) == settings  # filled in once, it stays as it is


def test_the_same_settings_whether_written_or_filled_in(folder: Path) -> None:
    written = CaptionsSettings(model="small", language="es", prompts=("", "una fotografía de"), beams=3)
    assert Settings(profile="none", captions=written).captions == Settings().captions


@pytest.mark.parametrize("how", ["file", "variable"])
def test_a_profile_that_there_is_not(folder: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "file":
        Path("revista.toml").write_text('profile = "compakt"\n')
    else:
        monkeypatch.setenv("REVISTA_PROFILE", "compakt")
    with pytest.raises(BadArguments, match="compakt") as caught:
        load_settings()
    assert "compact, english, none" in caught.value.hint


def test_a_profile_of_another_type(folder: Path) -> None:
    Path("revista.toml").write_text("profile = 3\n")
    with pytest.raises(BadArguments, match="profile"):
        load_settings()
    assert fill_from_profile({"profile": "none", "captions": 3})["captions"] == 3  # for pydantic to refuse


def test_a_model_that_is_not_shipped_is_told_once(folder: Path) -> None:
    text = REGISTRY.replace("[models.small.files]", "[models.unused]\nrole='ranker'\nsummary='x'\nfolder='u'\n"
                            "language='en'\nlicence='x'\n[models.unused.files]")  # fmt: skip
    (folder / "registry.toml").write_text(text, "utf-8")
    assert Settings().captions.model is None
    ((said, hint),) = checks.notices(Settings())
    assert "small" in said and "print alone" in said and "none" in hint
    assert checks.notices(Settings(profile="none")) == ()
    assert checks.notices(Settings(captions=CaptionsSettings(model="large"))) == ()
    with pytest.raises(MissingWeights, match="not in this copy") as caught:
        find_weights("small")
    assert "profile" in caught.value.hint


# --- registries -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('captioner = "large"', 'captioner = "huge"', "no captioner 'huge'"),
        ('captioner = "large"', 'captioner = "judge"', "no captioner 'judge'"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ("[profiles.english]", "[profiles.none]", "none is taken"),
        ('role = "ranker"', 'role = "judge"', "role"),
        ('licence = "x"\n[models.judge]', "[models.judge]", "models.large.licence"),
        ('hub = "org/large"', 'hub = "org/large"\nfolder = "large"', "either a folder or a hub"),
        ('hub = "org/large"', "", "either a folder or a hub"),
        ('hub = "org/large"', 'hub = "../large"', "models.large.hub"),
        ('folder = "compact/captioner"', 'folder = "../outside"', "within the folder"),
        ('folder = "compact/captioner"', 'folder = "/etc"', "within the folder"),
        ('"config.json" =', '"../config.json" =', "files"),
        ("bytes = 2", "bytes = -2", "bytes"),
        ('sha256 = "44', 'sha256 = "4x', "sha256"),
        ('language = "es"', 'language = "fr"', "en or es"),
        ('hub = "org/judge"', 'hub = "org/judge"\ncolour = "red"', "colour"),
        ("[models.large]", "[models.large", "not a TOML file"),
    ],
)
def test_what_a_registry_cannot_say(folder: Path, old: str, new: str, says: str) -> None:
    assert old in REGISTRY
    (folder / "registry.toml").write_text(REGISTRY.replace(old, new, 1), "utf-8")
    with pytest.raises(BadArguments, match=re.escape(says)) as caught:
        Settings()
    assert "registry.toml" in caught.value.message and caught.value.hint


def test_without_a_registry(folder: Path) -> None:
    (folder / "registry.toml").unlink()
    assert Settings(profile="none").captions.model is None  # a copy without models/ works so
    with pytest.raises(BadArguments, match=re.escape("no registry of models at")) as caught:
        Settings()
    assert FOLDER_VARIABLE in caught.value.hint and "none" in caught.value.hint
    with pytest.raises(MissingWeights, match="no such folder"):
        find_weights("small")


def test_a_damaged_lock(folder: Path) -> None:
    assert read_lock().models == {}
    for text in ("", "{", '{"schema_version": 1, "models": {"large": {"hub": "org/large"}}}'):
        (folder / "lock.json").write_text(text)
        with pytest.raises(BadArguments, match=re.escape("lock.json")) as caught:
            find_weights("large")
        assert "pull" in caught.value.hint


# --- the shipped registry -------------------------------------------------------------------------------------


def test_ours_can_be_meant() -> None:
    registry = read_registry(ROOT / "models")
    assert {"compact", "standard"} <= registry.profiles.keys()
    assert models_folder() == ROOT / "models"
    for model in registry.models.values():
        group = CaptionsSettings if model.role == "captioner" else RankingSettings
        group(**model.settings)
        assert (model.card is not None) == (model.folder is not None)
    assert headings_of_a_card() >= {"Data", "Licence", "Training", "Figures", "Limits"}
    for id in registry.profiles["compact"].models():
        assert registry.models[id].hub is None  # it has to work without a network


def test_what_is_shipped_is_whole_small_and_has_a_card() -> None:
    registry = read_registry(ROOT / "models")
    shipped = {id: model for id, model in registry.models.items() if model.shipped}
    if not shipped:
        pytest.skip("this version ships no weights: models/registry.toml lists no files")
    done = subprocess.run(
        [sys.executable, "-m", "revista.cli", "models", "verify", *shipped],
        capture_output=True, text=True, timeout=120, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    weights = [
        file.bytes
        for model in shipped.values()
        for n, file in model.files.items()
        if n.endswith(("safetensors", "onnx"))
    ]
    assert sum(weights) <= 40_000_000
    for model in shipped.values():
        card = (ROOT / "models" / str(model.card)).read_text("utf-8")
        assert headings_of_a_card() <= set(re.findall(r"^## (.+)$", card, re.MULTILINE)), model.card


def headings_of_a_card() -> set[str]:
    """The headings that models/cards/README.md asks for."""
    template = (ROOT / "models" / "cards" / "README.md").read_text("utf-8")
    return set(re.findall(r"^## (.+)$", template.partition("```markdown")[2].partition("```")[0], re.MULTILINE))


def test_registering_twice_changes_nothing_and_a_new_file_is_seen(ours: Path, tmp_path: Path) -> None:
    import shutil

    models = tmp_path / "models"
    shutil.copytree(ours, models)
    before = (models / "registry.toml").read_text("utf-8")
    first = read_registry(models).models["compact-captioner"]
    assert first.shipped and "model.safetensors" in first.files
    register(models)
    assert (models / "registry.toml").read_text("utf-8") == before
    (models / "compact" / "captioner" / "added_tokens.json").write_text("{}")
    shutil.rmtree(models / "compact" / "clip")
    register(models)
    registry = read_registry(models)
    assert set(registry.models["compact-captioner"].files) == {*first.files, "added_tokens.json"}
    assert not registry.models["compact-clip"].shipped
    assert registry.models["blip-base"] == read_registry(ROOT / "models").models["blip-base"]


def test_the_profile_is_read_without_heavy_imports(ours: Path) -> None:
    code = (
        "import sys; from revista.settings import load_settings; from revista.weights import find_weights;"
        "find_weights(load_settings().captions.model).hashes();"
        "sys.exit(bool({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    env = environment(REVISTA_PROFILE="compact", **{FOLDER_VARIABLE: str(ours)})
    assert subprocess.run([sys.executable, "-c", code], timeout=60, env=env).returncode == 0
