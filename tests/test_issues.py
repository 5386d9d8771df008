import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista.errors import BadArguments, BadInput
from revista.issues import Metadata, identify, issue_name

JUNE = {"title": "Social", "year": 1929, "month": 6, "volume": 14, "number": 6, "id": "social-1929-06-v14-n6"}


def known(name: str, **stated: Any) -> dict[str, Any]:
    return identify(Path("/nowhere") / name, Metadata.given(**stated)).model_dump()


@pytest.mark.parametrize(
    "name",
    [
        "ohcbh_ch_social1929_6_v14_n6.pdf",
        "ohcbh_ch_social1929_06_v14_n06.pdf",
        "OHCBH_CH_Social1929_6_V14_N6.PDF",
        "social1929_6_v14_n6.pdf",
        "Social_1929-06_v14_n6.pdf",
        "Social 1929 06 vol. 14 núm. 6.pdf",
        "ohcbh-ch-social1929-6-v14-n6.pdf",
        "ohcbh_ch_social1929_6_v14_n6_copia.pdf",
        "ohcbh_ch_social1929_6_v14_n6-2.pdf",
        "2_ohcbh_ch_social1929_6_v14_n6 (1).pdf",
    ],
)
def test_names_of_the_collection(name: str) -> None:
    assert known(name) == JUNE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("social1918_6_v3_n6-7.pdf", {"number": 6, "id": "social-1918-06-v3-n6-7"}),
        ("social1918_12_v3_n12-1.pdf", {"number": 12, "id": "social-1918-12-v3-n12"}),
        ("social1929_13_v14_n6.pdf", {"month": None, "year": 1929, "id": "social-1929-v14-n6"}),
        ("social1929_6.pdf", {"volume": None, "number": None, "id": "social-1929-06"}),
        ("carteles1931_11_v17_n36.pdf", {"title": "carteles1931_11_v17_n36", "id": "carteles-1931-11-v17-n36"}),
        ("social1929.pdf", {"title": "Social", "year": 1929, "id": "social1929"}),
        ("1929_6_v14_n6.pdf", {"year": 1929, "month": 6, "id": "1929-6-v14-n6"}),
        ("Moreno_026.pdf", {"title": "Moreno_026", "year": None, "number": None, "id": "moreno-026"}),
        ("Año número 3.pdf", {"title": "Año número 3", "id": "ano-numero-3"}),
        ("scan20240519_0001.pdf", {"year": None, "id": "scan20240519-0001"}),
        ("-.-.pdf", {"title": "-.-"}),
        ("雑誌.pdf", {"title": "雑誌"}),
    ],
)
def test_other_names(name: str, expected: dict[str, Any]) -> None:
    found = known(name)
    assert {key: found[key] for key in expected} == expected


def test_decomposed_accents_are_the_same_name() -> None:
    assert known("Social 1929_6_nu\u0301m 6.pdf") == known("Social 1929_6_núm 6.pdf")


@given(st.text(max_size=120).filter(lambda s: "/" not in s and "\0" not in s))
def test_any_name_gives_a_safe_id(stem: str) -> None:
    found = identify(Path("/nowhere") / f"x{stem}.pdf")
    assert Metadata.given(**found.model_dump()) == found  # id, title and numbers pass their own checks


@given(
    st.integers(1800, 2099),
    st.integers(1, 12),
    st.integers(0, 999),
    st.integers(0, 999),
    st.sampled_from(["_", "-", " "]),
)
def test_numbers_survive(year: int, month: int, volume: int, number: int, separator: str) -> None:
    name = separator.join(["x_social" + str(year), str(month), f"v{volume}", f"n{number}"]) + ".pdf"
    found = identify(Path("/nowhere") / name)
    assert (found.year, found.month, found.volume, found.number) == (year, month, volume, number)
    assert found.id == f"social-{year}-{month:02d}-v{volume}-n{number}"


def test_sidecar_overrides_name_and_option_overrides_sidecar(tmp_path: Path) -> None:
    pdf = tmp_path / "ohcbh_ch_social1929_6_v14_n6.pdf"
    pdf.with_suffix(".toml").write_text('month = 7\nnumber = 7\ntitle = "Social (La Habana)"\n', "utf-8")
    found = identify(pdf)
    assert (found.year, found.month, found.volume, found.number) == (1929, 7, 14, 7)
    assert found.title == "Social (La Habana)"
    assert found.id == "social-la-habana-1929-07-v14-n7"
    assert identify(pdf, Metadata.given(month=8, id="otro")).model_dump() == {
        **found.model_dump(),
        "month": 8,
        "id": "otro",
    }


def test_json_sidecar(tmp_path: Path) -> None:
    pdf = tmp_path / "escaneo.pdf"
    pdf.with_suffix(".json").write_text(json.dumps({"title": "Social", "year": 1930, "number": 2}), "utf-8-sig")
    assert identify(pdf).id == "social-1930-n2"


@pytest.mark.parametrize(
    ("suffix", "text", "says"),
    [
        (".toml", "month = 13", "month"),
        (".toml", "year = 19299", "year"),
        (".toml", 'year = "1929"', "year"),
        (".toml", "number = true", "number"),
        (".toml", "mes = 6", "mes"),
        (".toml", 'id = "../../etc"', "id"),
        (".toml", 'title = " "', "title"),
        (".toml", "month = ", "not TOML"),
        (".json", "{", "not JSON"),
        (".json", "[" * 100_000, "too large"),
        (".json", "[" * 60_000, "not JSON"),
        (".json", "[1]", "not a table"),
        (".json", '{"a\\u0000": 1}', "a"),
        (".toml", "\xff", "not TOML"),
    ],
)
def test_wrong_sidecar(tmp_path: Path, suffix: str, text: str, says: str) -> None:
    pdf = tmp_path / "social1929_6_v14_n6.pdf"
    pdf.with_suffix(suffix).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=says) as caught:
        identify(pdf)
    assert pdf.stem in caught.value.message
    assert "docs/formats.md" in caught.value.hint
    assert issue_name(pdf) == pdf.stem


def test_two_sidecars_are_one_too_many(tmp_path: Path) -> None:
    pdf = tmp_path / "a.pdf"
    pdf.with_suffix(".toml").touch()
    pdf.with_suffix(".json").touch()
    with pytest.raises(BadInput, match="two sidecars"):
        identify(pdf)


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a\\b", "-a", "a.", "ñ", "a b", "a\n", "x" * 101])
def test_ids_that_are_no_folder_names(bad: str) -> None:
    with pytest.raises(BadArguments, match="id"):
        Metadata.given(id=bad)


@pytest.mark.parametrize("values", [{"month": 0}, {"year": 1799}, {"volume": -1}, {"numero": 3}, {"month": 1.5}])
def test_given_values_are_checked(values: dict[str, Any]) -> None:
    with pytest.raises(BadArguments, match=next(iter(values))):
        Metadata.given(**values)
