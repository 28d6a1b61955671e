"""The status page in a real browser, over a real daemon with real jobs."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import DESKTOP, PHONE, Browser, opened_browser
from tests.e2e.running import SPEC, simulated
from tests.e2e.serving import Served, served

SMALL = {**SPEC, "name": "small", "space": {**SPEC["space"], "limit": 40}}
LONG = {**SPEC, "name": "long", "space": {**SPEC["space"], "limit": 1200}, "limits": {"concurrency": 2}}
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
READER, OPERATOR = "reader-key-0123456789", "operator-key-0123456789"
KEYS = """
[keys.reader]
key_env = "READER"
scopes = ["read"]
[keys.operator]
key_env = "OPERATOR"
scopes = ["read", "submit", "operate"]
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with simulated("--latency", "0.05") as base_url, served(tmp_path_factory.mktemp("daemon"), base_url) as running:
        yield running


@pytest.fixture
def browser(window: Browser) -> Iterator[Browser]:
    window.resize(*DESKTOP)
    window.complaints()
    yield window
    assert window.complaints() == [], "nothing is refused by the policy, and no script fails"


def submit(daemon: Served, spec: dict[str, Any]) -> str:
    job: str = daemon.ask("POST", "/api/v1/jobs", spec)["id"]
    return job


def finished(daemon: Served, spec: dict[str, Any]) -> dict[str, Any]:
    return daemon.until(submit(daemon, spec), lambda job: job["state"] == "finished")


def test_a_job_is_followed_live_to_its_end_and_the_page_says_what_the_api_says(
    browser: Browser, daemon: Served
) -> None:
    browser.open(daemon.url)
    browser.until(lambda: browser.text("#link") == "live")
    job = submit(daemon, {**SPEC, "name": "live", "limits": {"concurrency": 4}})
    browser.find(f"a[href='#/jobs/{job}']").click()
    seen = set()

    def over() -> bool:
        seen.add(browser.run("return document.querySelector('progress').value"))
        return browser.text(".job header .state") == "finished"

    browser.until(over)
    assert len(seen - {0, 1}) >= 2, "it moved while the job ran"
    told = daemon.ask("GET", f"/api/v1/jobs/{job}")
    assert browser.text(".tile:nth-child(1) dd") == str(told["outcomes"]["kept"])
    assert browser.text(".funnel li:first-child .figure") == "200"
    assert browser.text(".axes caption") == "genre", "acceptance is shown by itself once the job is over"
    newest = browser.find(".pair section:first-child details")
    newest.click()
    line = json.loads((daemon_lines(daemon, job))[-1])
    browser.until(lambda: line["completion"].strip() in browser.run("return arguments[0].textContent", newest))
    assert browser.text("#gates h3") == "default"


def daemon_lines(daemon: Served, job: str) -> list[str]:
    with urllib.request.urlopen(f"{daemon.url}/api/v1/jobs/{job}/records") as answer:  # noqa: S310 - loopback
        return [line.decode() for line in answer if line.strip()]


def test_a_spec_is_checked_and_planned_before_it_can_be_submitted(browser: Browser, daemon: Served) -> None:
    before = len(daemon.ask("GET", "/api/v1/jobs")["items"])
    browser.open(f"{daemon.url}/#/new")
    wrong = {**SMALL, "steps": [{**SMALL["steps"][0], "prompt": "{{ gnere }}"}]}
    field = browser.find("#spec")
    field.send_keys(json.dumps(wrong))
    send = next(each for each in browser.all("form.panel button") if each.text == "Submit the job")
    assert not send.is_enabled()
    browser.find("form.panel button[type=submit]").click()
    assert browser.text("#spec-wrong code") == "steps[0].prompt"
    assert "did you mean `genre`?" in browser.text("#spec-wrong")
    assert field.get_attribute("aria-invalid") == "true"
    assert not send.is_enabled()
    field.clear()
    field.send_keys(json.dumps(SMALL))
    browser.find("form.panel button[type=submit]").click()
    assert browser.text(".plan .tile dd") == "40"
    assert "Imagine a plot outline" in browser.text(".plan details pre")
    field.send_keys(" ")
    assert not send.is_enabled(), "only what was planned can be submitted"
    browser.find("form.panel button[type=submit]").click()
    browser.until(send.is_enabled)
    assert len(daemon.ask("GET", "/api/v1/jobs")["items"]) == before, "planning creates nothing"
    send.click()
    assert browser.text(".job h1") == "small"
    assert len(daemon.ask("GET", "/api/v1/jobs")["items"]) == before + 1


def test_everything_is_done_with_the_keyboard_alone(browser: Browser, daemon: Served) -> None:
    browser.open(daemon.url)
    browser.find("#new-button")
    assert browser.tab_to("Skip to the content").is_displayed()
    browser.tab_to("New job").send_keys(Keys.ENTER)
    browser.find("#spec")
    browser.tab_to("Spec").send_keys(json.dumps(LONG))
    browser.press(Keys.CONTROL, Keys.ENTER)
    focused = browser.driver.switch_to
    browser.until(lambda: focused.active_element.text == "Submit the job")
    browser.press(Keys.ENTER)
    browser.until(lambda: browser.all(".job") and browser.text(".job header .state") == "running")
    browser.tab_to("Pause").send_keys(Keys.ENTER)
    browser.until(lambda: browser.text(".job header .state") == "paused")
    assert "paused" in browser.run("return document.querySelector('#said').textContent"), "a reader hears of it"
    browser.tab_to("Cancel").send_keys(Keys.ENTER)
    browser.until(lambda: focused.active_element.text == "Let it go on")
    browser.press(Keys.ESCAPE)
    assert browser.text(".job header .state") == "paused", "cancelling asks once more"
    browser.find(".job .danger").send_keys(Keys.ENTER)
    browser.tab_to("Cancel the job").send_keys(Keys.ENTER)
    browser.until(lambda: browser.text(".job header .state") == "cancelled")


def test_what_a_model_or_a_spec_says_is_text_whatever_it_looks_like(browser: Browser, daemon: Served) -> None:
    spec = {**SMALL, "name": "hostile", "space": {"axes": {"genre": [HOSTILE], "n": [1, 2, 3]}}}
    spec["steps"] = [{**SMALL["steps"][0], "prompt": "{{ nonce }} {{ genre }} {{ n }} A plot."}]
    spec["examples"] = [{"name": "row", "prompt": "{{ genre }}", "completion": "{{ genre }} {{ plot }}"}]
    job = finished(daemon, spec)["id"]
    browser.open(f"{daemon.url}/#/jobs/{job}")
    browser.find(".lines details").click()
    assert HOSTILE in browser.text(".lines details .body pre")
    assert HOSTILE in browser.text(".axes table"), "also where the report names it"
    browser.run("location.hash = '#/new'")
    browser.find("#spec").send_keys(json.dumps(spec))
    browser.press(Keys.CONTROL, Keys.ENTER)
    assert HOSTILE in browser.text(".plan details pre")
    assert browser.all("#view img, #view script") == []
    assert "owned" not in browser.driver.title
    refused = browser.run(
        "try { document.body.innerHTML = '<b>x</b>'; return 'parsed' } catch (error) { return error.name }"
    )
    assert refused == "TypeError", "the browser itself refuses markup out of text"
    assert "TrustedHTML" in browser.complaints()[0]


def test_nothing_is_wider_than_a_phone(browser: Browser, daemon: Served) -> None:
    job = finished(daemon, {**SMALL, "name": "a-name-that-is-as-long-as-names-of-jobs-may-be-in-this-place-63"})["id"]
    browser.resize(*PHONE)
    for address, there in (("", "#jobs a"), (f"#/jobs/{job}", ".axes table"), ("#/new", "#spec")):
        browser.open(f"{daemon.url}/{address}")
        browser.find(there)
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), address
    browser.find(".back").click()
    assert browser.find("#jobs a").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_dark(browser: Browser, daemon: Served, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    job = finished(daemon, {**SMALL, "name": "seen"})["id"]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.open(f"{daemon.url}/#/jobs/{job}")
    browser.find(".axes table")
    grounds = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(channels(grounds)) < 200) == (scheme == "dark")
    for selector in (".job h1", ".job .quiet", ".state", ".link", ".tile .note", "summary .values", "#new-button"):
        element = browser.find(selector)
        ink, ground = browser.run(GROUND, element)
        assert contrast(channels(ink), channels(ground)) >= 4.5, (selector, ink, ground)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


GROUND = """
let at = arguments[0];
const ink = getComputedStyle(at).color;
while (getComputedStyle(at).backgroundColor === "rgba(0, 0, 0, 0)") at = at.parentElement;
return [ink, getComputedStyle(at).backgroundColor];
"""


def channels(colour: str) -> list[float]:
    return [float(each) for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def contrast(one: list[float], other: list[float]) -> float:
    """The contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: list[float]) -> float:
        shares = [each / 255 for each in colour]
        red, green, blue = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_key_is_asked_for_kept_in_its_tab_and_decides_what_can_be_pressed(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(KEYS)
    keys = {"READER": READER, "OPERATOR": OPERATOR}
    with simulated() as base_url, served(tmp_path, base_url, "--config", "keys.toml", **keys) as daemon:
        browser.open(daemon.url)
        browser.find("#key").send_keys("nonsense-nonsense", Keys.ENTER)
        browser.until(lambda: "unknown" in browser.text("#key-wrong"))
        browser.find("#key").send_keys(READER, Keys.ENTER)
        browser.until(lambda: browser.text("#key-button") == "Key: reader")
        assert browser.all("#new-button:not([hidden])") == [], "who may only read submits nothing"
        kept = browser.run("return [Object.values(sessionStorage), localStorage.length, document.cookie]")
        assert kept == [[READER], 0, ""]
        browser.find("#key-button").click()
        browser.find("#key-forget").click()
        browser.find("#key").send_keys(OPERATOR, Keys.ENTER)
        browser.find("#new-button")
        assert OPERATOR not in browser.driver.page_source
        assert READER not in browser.run("return JSON.stringify(sessionStorage)")
