"""Settings: where they come from, what they refuse, and that the documentation lists them all."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from revista.errors import BadArguments
from revista.settings import Settings, load_settings

from .conftest import ROOT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REVISTA_PROFILE", raising=False)


def test_defaults_without_a_file() -> None:
    assert load_settings() == Settings()


def test_file_in_the_working_folder_is_found() -> None:
    Path("revista.toml").write_text('[text]\nlanguage = "spa+eng"\n')
    assert load_settings().text.language == "spa+eng"


def test_environment_wins_over_the_file_and_keeps_its_other_values(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text("[context]\nwindow_words = 12\nparagraphs = 1\n")
    monkeypatch.setenv("REVISTA_CONTEXT__WINDOW_WORDS", "8")
    context = load_settings(Path("other.toml")).context
    assert (context.window_words, context.paragraphs, context.window_overlap) == (8, 1, 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[text\n", "not a TOML file"),
        ("[text]\nlanguaje = 'spa'\n", "text.languaje"),
        ("[txt]\n", "txt"),
        ("[regions]\nmin_confidence = 1.5\n", "regions.min_confidence"),
        ("[regions]\ndetectors = ['yolo']\n", "regions.detectors"),
        ("[text]\nlanguage = 'spa; rm -rf /'\n", "text.language"),
        ("[context]\nwindow_words = 3\nwindow_overlap = 3\n", "window_overlap"),
        ("[run]\nworkers = 0\n", "run.workers"),
        ("profile = 'huge'\n", "no profile 'huge'"),
        ("[captions]\nlanguage = 'fr'\n", "captions.language"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    Path("revista.toml").write_text(text)
    with pytest.raises(BadArguments, match=re.escape(says)) as caught:
        load_settings()
    assert caught.value.hint


def test_variable_of_an_unknown_group_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVISTA_ARCHIVE", "archive")  # an option of the command line, not a setting
    load_settings()
    monkeypatch.setenv("REVISTA_TXT__LANGUAGE", "spa")
    with pytest.raises(BadArguments, match="REVISTA_TXT__LANGUAGE"):
        load_settings()


def test_variable_of_a_setting_that_is_no_group_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVISTA_PROFILE__NAME", "none")
    with pytest.raises(BadArguments, match="REVISTA_PROFILE__NAME"):
        load_settings()


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="cannot be read"):
        load_settings(tmp_path)


def test_frozen_and_hashable() -> None:
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.text.language = "eng"  # type: ignore[misc]
    assert hash(settings) == hash(Settings())


def test_documentation_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.+?) \|", (ROOT / "docs" / "settings.md").read_text("utf-8"), re.M))
    defaults = Settings(profile="none")
    known = {"profile": Settings.model_fields["profile"].default}
    for name in Settings.model_fields.keys() - {"profile"}:
        group = getattr(defaults, name)
        assert isinstance(group, BaseModel)
        known |= {f"{name}.{field}": value for field, value in group.model_dump(mode="json").items()}
    assert rows.keys() == known.keys()
    for name, value in known.items():
        if name == "run.workers":
            continue
        if name in ("captions.model", "ranking.model"):
            assert rows[name] == "the profile's"
            continue
        written = rows[name].replace("`", "").replace('""', "")
        shown = (
            ", ".join(map(str, value)) if isinstance(value, list) else "none" if value is None else str(value).lower()
        )
        assert written.lower() == shown.lower(), name
