"""The reports over HTTP: what the Prefect UI links to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from revista.report.web import application
from revista.store import Archive
from tests.issue_archive import ISSUE, fill


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return fill(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return TestClient(application(archive.root))


def test_list_links_to_reports(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert f'<a href="/{ISSUE}">' in answer.text
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_report_is_drawn_from_the_archive(client: TestClient, archive: Archive) -> None:
    before = sorted(archive.root.rglob("*"))
    answer = client.get(f"/{ISSUE}")
    assert answer.status_code == 200
    assert 'id="pagina-1"' in answer.text and "data:image/jpeg;base64," in answer.text
    policy = answer.headers["content-security-policy"]
    assert "object-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert sorted(archive.root.rglob("*")) == before  # reading leaves nothing behind


@pytest.mark.parametrize(
    "path", ["social-1999-01", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", ".locks", "%00", "a" * 5000, "%ff%fe"]
)
def test_what_is_no_issue_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(f"/{path}", follow_redirects=False)
    if answer.url.path != "/":  # the client itself resolves `..`
        assert answer.status_code == 404
    assert "root:" not in answer.text


def test_hostile_ids_are_shown_as_text(client: TestClient) -> None:
    answer = client.get("/%3Cscript%3Ealert(1)")
    assert answer.status_code == 404
    assert "<script" not in answer.text and "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_reading(client: TestClient, method: str) -> None:
    assert client.request(method, f"/{ISSUE}").status_code == 405


def test_archive_that_is_not_there_yet(tmp_path: Path) -> None:
    later = tmp_path / "later"
    client = TestClient(application(later))
    answer = client.get("/")
    assert answer.status_code == 200 and "No se puede mostrar" in answer.text and str(later) in answer.text
    missing = client.get(f"/{ISSUE}")
    assert missing.status_code == 500 and "No se puede mostrar" in missing.text
    assert not later.exists()
    shutil.copytree(fill(tmp_path / "filled").root, later)
    assert client.get(f"/{ISSUE}").status_code == 200  # found without a restart


def test_unreadable_issue_does_not_stop_the_list(archive: Archive, tmp_path: Path) -> None:
    copy = Archive(shutil.copytree(archive.root, tmp_path / "copy"))
    (copy.issue_dir(ISSUE) / "issue.json").write_text("{")
    client = TestClient(application(copy.root), raise_server_exceptions=False)
    assert "Traceback" not in client.get(f"/{ISSUE}").text
    assert client.get("/").status_code == 200
