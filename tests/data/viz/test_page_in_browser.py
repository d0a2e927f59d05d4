"""The page in a real browser, where there is one: it plays, steps and scrubs, and asks for nothing."""

import shutil

import pytest

from etude.data.viz.page import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

PICTURE = """() => [...document.querySelectorAll('video')].map((video) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 96, height: 64});
  const pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0);
  return pen.getImageData(48, 32, 1, 1).data[0];
})"""


READY = "[...document.querySelectorAll('video')].every((video) => video.readyState >= 2 && !video.seeking)"


def until(page, expression):
    """Wait for an expression to hold; the page forbids what Playwright's own waiting evaluates inside it."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(arm, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "episode.html"
    write_page(arm, 1, path)
    return path


@pytest.fixture(params=[(1280, 800, "light"), (390, 844, "dark")], ids=["desktop", "phone"])
def page(browser, file, request):
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(file.as_uri())
    until(page, READY)
    yield page
    context.close()


def shows(page, frame):
    """Wait until the cursor and the pictures of all cameras are at a frame."""
    until(page, f"document.getElementById('time').textContent.includes('frame {frame}')")
    until(page, READY)
    page.wait_for_timeout(60)
    for grey in page.evaluate(PICTURE):
        assert grey == pytest.approx(40 + 6 * frame, abs=5)


def test_it_plays_steps_and_scrubs_and_asks_for_nothing(page, file):
    assert page.locator("h1").inner_text() == "Pick </script> & place"
    shows(page, 0)
    page.keyboard.press("ArrowRight")
    shows(page, 1)
    page.keyboard.press("Shift+ArrowRight")
    shows(page, 11)
    page.keyboard.press("End")
    shows(page, 29)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    until(page, "document.body.classList.contains('playing')")
    until(page, "Number(document.getElementById('scrub').value) > 8")
    page.keyboard.press("Space")
    shows(page, int(page.locator("#scrub").input_value()))
    page.locator("#scrub").fill("20")
    shows(page, 20)
    assert "late" in page.locator("#time").inner_text()
    assert page.said == []
    assert [url for url in page.asked if not url.startswith("blob:")] == [file.as_uri()]


def test_playing_ends_at_the_last_frame_and_begins_anew(page):
    page.select_option("#speed", "4")
    page.click("#play")
    until(page, "Number(document.getElementById('scrub').value) === 29")
    until(page, "!document.body.classList.contains('playing')")
    page.click("#play")
    until(page, "document.body.classList.contains('playing')")


def test_dragging_over_a_curve_moves_everything(page):
    box = page.locator(".plot").first.bounding_box()
    left, right = box["x"] + 40, box["x"] + box["width"] - 4
    page.mouse.move(left + (right - left) * 14 / 29, box["y"] + 20)
    page.mouse.down()
    shows(page, 14)
    page.mouse.move(left + (right - left) * 5 / 29, box["y"] + 20)
    page.mouse.up()
    shows(page, 5)
    assert page.locator(".now span").first.inner_text() == "5.000"


def test_everything_fits_and_late_frames_are_marked(page):
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("#speed", "#play", "#scrub", "#theme"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.locator("#marks i").count() == 3
    assert page.locator("figcaption").all_inner_texts() == ["front", "wrist"]
    assert page.locator("canvas").count() == 3


def test_light_and_dark(page):
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(paper)
    page.keyboard.press("t")
    assert page.evaluate(paper) != before
    page.click("#theme")
    assert page.evaluate(paper) == before


def test_a_link_to_a_frame(browser, file):
    page = browser.new_page()
    page.goto(f"{file.as_uri()}#frame=12")
    until(page, READY)
    shows(page, 12)
    page.close()
