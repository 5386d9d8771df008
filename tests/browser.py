"""Headless Chromium, as the browser tests and `scripts/screenshots.py` drive it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
LACKING = {CHROMIUM: "chromium", DRIVER: "chromium-driver"}
"""The programs it takes, and the Debian packages that bring them."""

_FLAGS = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
    *("disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"),
)


@contextmanager
def chromium(profile: Path, width: int = 1400, height: int = 1000) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in the folder `profile`, that logs what it says and what it asks for."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"window-size={width},{height}", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def network(browser: webdriver.Chrome, event: str) -> list[dict[str, Any]]:
    """What the browser's network layer has reported since the last call under the name of `event`."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [message["params"] for message in messages if message["method"] == f"Network.{event}"]


def text_of(browser: webdriver.Chrome) -> str:
    """All text that the page shows, form fields too."""
    fields = "return [...document.querySelectorAll('input, textarea')].map(field => field.value).join('\\n')"
    return f"{browser.find_element(By.TAG_NAME, 'body').text}\n{browser.execute_script(fields)}"


def wait_for_text(browser: webdriver.Chrome, *texts: str, patience: float = 40.0) -> None:
    """Wait until the page shows all of `texts`."""

    def shown(driver: webdriver.Chrome) -> bool:
        text = text_of(driver)
        return all(wanted in text for wanted in texts)

    try:
        WebDriverWait(browser, patience, ignored_exceptions=(Exception,)).until(shown)
    except Exception as error:
        raise AssertionError(f"{browser.current_url} does not show {texts}, but: {text_of(browser)[:3000]}") from error
