"""A real browser for tests: Debian's Chromium, headless, with an empty profile and no traffic of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

BOUND_SECONDS = 20.0
DESKTOP, PHONE = (1280, 900), (360, 740)
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip


class Browser:
    """A browser's window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Load a page anew, with nothing kept from earlier ones."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
        self.driver.get(url)

    def resize(self, width: int, height: int) -> None:
        """Show pages in this many CSS pixels; a narrow window is a phone's."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def find(self, selector: str) -> WebElement:
        """The first element; waited for until it is shown."""
        found: WebElement = self.until(lambda: next((each for each in self.all(selector) if each.is_displayed()), None))
        return found

    def all(self, selector: str) -> list[WebElement]:
        """All elements there are now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What the first element shows."""
        return self.find(selector).text

    def until(self, reached: Callable[[], Any]) -> Any:
        """What `reached` returns, once that is true."""
        return WebDriverWait(self.driver, BOUND_SECONDS, poll_frequency=0.05).until(lambda _driver: reached())

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Type on the keyboard, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab_to(self, label: str) -> WebElement:
        """Go on with the Tab key to what has this label; each stop on the way must be visible and named."""
        for _ in range(60):
            self.press(Keys.TAB)
            element = self.driver.switch_to.active_element
            if element.tag_name != "body":
                assert element.accessible_name, element.get_attribute("outerHTML")
                assert element.value_of_css_property("outline-style") != "none", "the focus must be visible"
            if element.accessible_name == label:
                return element
        raise AssertionError(f"{label} is not reached by Tab")

    def complaints(self) -> list[str]:
        """What the policy refused and which scripts failed since this was asked last."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call] # selenium's own
        return [each["message"] for each in log if each["level"] == "SEVERE" and each["source"] != "network"]


@contextmanager
def opened_browser(profile: Path) -> Iterator[Browser]:
    """A browser; skips the test where there is none, but never in CI."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        assert "CI" not in os.environ, "CI must have chromium and chromedriver: see .ci/run"
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = program
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
