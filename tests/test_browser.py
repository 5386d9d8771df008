"""What an operator sees and presses: headless Chromium at the Prefect UI of everything running for real."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from .browser import LACKING, chromium, network, text_of, wait_for_text
from .conftest import write_pdf
from .serving import Stack, wait_until

ISSUE, NAME = "social-1916-10-v1-n10", "Social 1916-10 v1 n10"
BROKEN = "ohcbh_ch_social1929_6_v14_n6.pdf"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running system that has had one good scan and a broken one in its inbox."""
    for program, package in LACKING.items():
        if not program.exists():
            pytest.skip(f"{program} is missing: sudo apt-get install {package}")
    running = Stack(tmp_path_factory.mktemp("stack"), {})
    try:
        running.start()
        write_pdf(running.inbox / "ohcbh_ch_social1916_10_v1_n10.pdf", 2, 3)
        (running.inbox / BROKEN).write_bytes(b"%PDF-1.4\nnothing in it\n%%EOF\n")
        time.sleep(1)
        running.wait_for(running.begin("inbox/inbox", settle_seconds=0.5), "Completed with problems")
        yield running
        assert running.outside_calls == []
    finally:
        running.stop()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile"), 1400, 2400) as opened:
        yield opened


@pytest.fixture
def browser(window: webdriver.Chrome, stack: Stack) -> Iterator[webdriver.Chrome]:
    """The browser, of which no request may have left the stack's own addresses by the end of the test."""
    window.get("about:blank")
    window.get_log("performance")
    yield window
    asked = {urlsplit(sent["request"]["url"]) for sent in network(window, "requestWillBeSent")}
    outside = {url.geturl() for url in asked if url.scheme not in ("data", "blob", "chrome", "about")}
    own = tuple(f"http://127.0.0.1:{port}/" for port in (stack.port, stack.reports_port))
    assert outside and not {url for url in outside if not url.startswith(own)}


def shown(browser: webdriver.Chrome, by: str, what: str, patience: float = 20.0) -> list[WebElement]:
    """The elements that can be seen, as soon as there is one."""
    found: list[WebElement] = WebDriverWait(browser, patience).until(
        lambda driver: [element for element in driver.find_elements(by, what) if element.is_displayed()]
    )
    return found


def press(browser: webdriver.Chrome, text: str) -> None:
    """Click on the last thing that says `text`: a dialog comes after the page."""
    (*_, found) = shown(browser, By.XPATH, f"//*[text()[normalize-space()='{text}']]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
    found.click()


def artifact(stack: Stack, key: str) -> str:
    return f"{stack.url}/artifacts/artifact/{stack.artifacts(key)[0]['id']}"


def test_runs_are_found_by_their_names(stack: Stack, browser: webdriver.Chrome) -> None:
    browser.get(f"{stack.url}/runs")
    wait_for_text(browser, NAME, "Social 1929-06 v14 n6", "Completed with problems")
    (search,) = shown(browser, By.CSS_SELECTOR, "input[placeholder='Search by flow run name']")
    search.send_keys("1929-06")
    WebDriverWait(browser, 20).until(lambda driver: NAME not in text_of(driver))
    press(browser, "Social 1929-06 v14 n6")
    wait_for_text(browser, "Failed", "Artifacts")


def test_problems_say_what_to_do(stack: Stack, browser: webdriver.Chrome) -> None:
    browser.get(artifact(stack, "problems-social-1929-06-v14-n6"))
    wait_for_text(browser, "1 problem", "what to do", "qpdf IN.pdf OUT.pdf")
    for text in ("what happened", "what to do"):  # both can be read without scrolling sideways
        box = shown(browser, By.XPATH, f"//*[text()[normalize-space()='{text}']]")[0].rect
        assert box["x"] + 300 < 1400


def test_thumbnails_and_the_way_to_the_report(stack: Stack, browser: webdriver.Chrome) -> None:
    browser.get(artifact(stack, f"pictures-{ISSUE}"))
    wait_for_text(browser, NAME, "Report")
    widths = "return [...document.images].filter(i => i.src.startsWith('data:image/jpeg')).map(i => i.naturalWidth)"
    shown = WebDriverWait(browser, 20).until(lambda driver: driver.execute_script(widths))
    assert len(shown) >= 2 and all(width > 0 for width in shown)
    before = set(browser.window_handles)
    browser.find_element(By.LINK_TEXT, "2").click()
    reading(stack, browser, before)
    assert browser.current_url == f"http://127.0.0.1:{stack.reports_port}/{ISSUE}#pagina-2"
    wait_for_text(browser, "Octubre de 1916", "EL ABANICO")


def reading(stack: Stack, browser: webdriver.Chrome, before: set[str]) -> None:
    """Go where a link led, be it a window of its own or not."""

    def there(driver: webdriver.Chrome) -> bool:
        for handle in set(driver.window_handles) - before:
            driver.switch_to.window(handle)
        return f":{stack.reports_port}/" in driver.current_url

    WebDriverWait(browser, 20).until(there)


def test_form_starts_a_dry_run(stack: Stack, browser: webdriver.Chrome) -> None:
    known = {run["id"] for run in stack.runs(name=["reprocess, dry run"])}
    browser.get(f"{stack.url}/deployments/deployment/{stack.deployment('reprocess/reprocess')['id']}/run")
    wait_for_text(browser, "Every issue", "Ids of single issues", "Nothing is started.", "Submit")
    assert "Property is type" not in text_of(browser)
    shown(browser, By.CSS_SELECTOR, "[role=switch]")[0].click()  # every issue
    press(browser, "Submit")
    new = wait_until(
        "the run is there", lambda: [run for run in stack.runs(name=["reprocess, dry run"]) if run["id"] not in known]
    )
    assert stack.wait_for(new[0]["id"], "Completed") == "Completed"
    assert stack.message(new[0]["id"]).startswith("dry run: 0 of 1 issues")
    assert new[0]["parameters"]["selection"]["every_issue"] is True
    browser.get(artifact(stack, "reprocess-plan"))
    wait_for_text(browser, "pages to do", "descriptions")


@pytest.mark.slow
def test_retry_after_a_kill(stack: Stack, browser: webdriver.Chrome) -> None:
    settings = stack.folder / "slow.toml"
    settings.write_text("[run]\npages_per_task = 1\nworkers = 1\n")
    pdf = write_pdf(stack.folder / "ohcbh_ch_social1917_1_v2_n1.pdf", 2, 3, 4, 5)
    run = stack.begin("archive/archive", pdfs=[str(pdf)], settings_file=str(settings))
    read = stack.archive / "issues" / "social-1917-01-v2-n1" / "text"
    wait_until("a page is read", lambda: list(read.glob("*.json")), 120, 0.1)
    os.kill(stack.child("prefect.engine"), signal.SIGKILL)
    stack.wait_for(run, "Crashed", patience=120)
    browser.get(f"{stack.url}/runs/flow-run/{run}")
    wait_for_text(browser, "Crashed", "Retry")
    shown(browser, By.XPATH, "//button[contains(., 'Retry')]")[0].click()
    shown(browser, By.XPATH, "//button[contains(., 'Retry') and contains(@class, 'default')]")[
        0
    ].click()  # are you sure?
    wait_until("it is on its way again", lambda: stack.state(run) != "Crashed", 60)
    stack.wait_for(run, "Completed", patience=180)
    wait_for_text(browser, "Completed", patience=60)


def test_second_version_of_the_ui_calls_nobody(stack: Stack, browser: webdriver.Chrome) -> None:
    browser.get(f"{stack.url}/v2/runs")
    wait_for_text(browser, NAME)
    browser.get(artifact(stack, f"pictures-{ISSUE}").replace("/artifacts/", "/v2/artifacts/"))
    wait_for_text(browser, NAME)
    assert urlsplit(browser.current_url).path.startswith("/v2/")
    shown = "return [...document.images].some(i => i.src.startsWith('data:image/jpeg') && i.naturalWidth > 0)"
    WebDriverWait(browser, 20).until(lambda driver: driver.execute_script(shown))
    time.sleep(3)  # for what it asks for later
