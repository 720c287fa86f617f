"""Swagger UI and ReDoc as users see them: in Chromium, from the real server. Run by `make test-browser`."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

# Only `make test-browser` installs Playwright: the types are checked with it and without it.
from playwright.sync_api import (  # type: ignore[import-not-found,unused-ignore]
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.flows.server import Server

DOCUMENT = Path(__file__).parents[2] / "functions" / "docs" / "openapi.json"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PATIENCE_MS = 30_000
"""How long anything may take to appear."""

TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`the policy's ${event.effectiveDirective} refused ${event.blockedURI}`));
"""
BROKEN_PICTURES = """
() => [...document.images].filter((picture) => !picture.naturalWidth).map((picture) => picture.src)
"""


class Watched:
    """A page, with all that it asked for and all that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.requested: list[str] = []
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(TELL_VIOLATIONS)
        context = page.context
        context.on("request", self._note_request)
        context.on("response", self._note_response)
        context.on("requestfailed", self._note_failure)
        context.on("console", self._note_message)
        context.on("weberror", lambda fault: self.faults.append(f"uncaught: {fault.error}"))

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def check(self) -> None:
        """Everything was asked of the one server, was answered, and is shown."""
        self.page.wait_for_load_state("networkidle")
        assert self.page.evaluate(BROKEN_PICTURES) == []
        asked = [urlsplit(address) for address in self.requested]
        elsewhere = [part for part in asked if part.scheme not in {"data", "blob"}]
        assert {f"{part.scheme}://{part.netloc}" for part in elsewhere} == {self.url}
        assert f"{self.url}/assets/icon.svg" in self.requested
        assert self.faults == []

    def _note_request(self, request: Request) -> None:
        self.requested.append(request.url)

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    def _note_failure(self, request: Request) -> None:
        self.faults.append(f"{request.failure}: {request.method} {request.url}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self.faults.append(f"console {message.type}: {message.text}")


def chromium() -> str:
    """The browser's program: the one that CHROMIUM names, or else the first on the PATH."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else PROGRAMS:
        program = shutil.which(name)
        if program:
            return program
    what = f"CHROMIUM={named} is no program" if named else f"none of {', '.join(PROGRAMS)} was found"
    pytest.fail(
        f"This test needs Chromium, and {what}. Install it (on Debian: apt-get install chromium), "
        "or set CHROMIUM to its path.",
        pytrace=False,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        # Chromium refuses to be root inside its sandbox.
        started = playwright.chromium.launch(
            executable_path=program, args=FLAGS, chromium_sandbox=os.geteuid() != 0
        )
        yield started
        started.close()


@pytest.fixture
def watched(browser: Browser, server: Server) -> Iterator[Watched]:
    page = browser.new_page()
    yield Watched(page, server.url)
    page.close()


@cache
def operations() -> list[dict[str, Any]]:
    """Every operation of the OpenAPI document, with its method and path."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    return [
        {**operation, "method": method.upper(), "path": path}
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def execute(page: Page, name: str) -> tuple[str, str]:
    """Press Execute at an operation, as it is filled in: the status and the text that the page shows then."""
    operation = page.locator(f"[id^=operations-][id$=-{name}]")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    status = answer.locator(".response-col_status").inner_text()
    return str(status).strip(), str(answer.locator(".response-col_description").inner_text())


def log_in(page: Page) -> None:
    """Use the dialog's form for e-mail and password."""
    page.locator(".auth-wrapper > .authorize").click()
    page.locator("#oauth_username").fill("test@example.com")
    page.locator("#oauth_password").fill("secret123")
    dialog = page.locator(".dialog-ux")
    dialog.locator(".auth-container", has=page.locator("#oauth_username")).locator(".authorize").click()
    expect(dialog.get_by_role("heading", name="Authorized", exact=True)).to_be_visible()
    page.locator(".close-modal").click()


def test_swagger_ui_lists_every_operation(watched: Watched) -> None:
    page = watched.open("/docs")
    listed = page.locator(".opblock")
    expect(listed).to_have_count(len(operations()))
    expect(listed.last).to_be_visible()
    shown = {
        (
            block.locator(".opblock-summary-method").inner_text(),
            block.locator(".opblock-summary-path").get_attribute("data-path"),
            block.locator(".opblock-summary-description").inner_text(),
        )
        for block in listed.all()
    }
    assert shown == {(each["method"], each["path"], each["summary"]) for each in operations()}
    expect(page.locator(".loading-container, .errors-wrapper")).to_have_count(0)
    watched.check()


def test_redoc_lists_every_operation(watched: Watched) -> None:
    page = watched.open("/redoc")
    listed = page.locator("[id^='tag/'][id*='/operation/']")
    expect(listed).to_have_count(len(operations()))
    expect(listed.last).to_be_visible()
    shown = {
        (
            block.locator(".http-verb").first.inner_text().upper(),
            block.locator(".http-verb + span").first.inner_text(),
            block.locator("h2").inner_text().strip(),
        )
        for block in listed.all()
    }
    assert shown == {(each["method"], each["path"], each["summary"]) for each in operations()}
    expect(page.get_by_text(re.compile("^Loading"))).to_have_count(0)
    watched.check()


def test_swagger_ui_registers_logs_in_and_calls(watched: Watched) -> None:
    page = watched.open("/docs")
    status, shown = execute(page, "register")
    assert (status, '"email": "test@example.com"' in shown) == ("201", True), shown
    log_in(page)
    status, shown = execute(page, "get_me")
    assert (status, '"email": "test@example.com"' in shown) == ("200", True), shown
    status, shown = execute(page, "get_health")
    assert (status, '"status": "ok"' in shown) == ("200", True), shown
    watched.check()
