"""The phone's page in a real browser, with the browser's motion tracking played by a script."""

import shutil

import pytest

from etude.core.clock import RealClock
from etude.hardware.teleoperators.phone.config import Config
from etude.hardware.teleoperators.phone.teleoperator import build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

TRACKING = """
window.place = {x: 0, y: 0, z: 0};
const session = {
  updateRenderState() {}, addEventListener() {},
  requestReferenceSpace: async () => ({}),
  requestAnimationFrame(then) {
    setTimeout(() => then(0, {getViewerPose: () => ({emulatedPosition: false, transform:
      {position: window.place, orientation: {x: 0, y: 0, z: 0, w: 1}}})}), 10);
  },
};
Object.defineProperty(navigator, 'xr',
  {value: {isSessionSupported: async () => true, requestSession: async () => session}});
window.XRWebGLLayer = class {};
"""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    phone = build(Config(port=0, key_dir=tmp_path_factory.mktemp("keys")), RealClock())
    phone.connect()
    yield phone
    phone.disconnect()


def opened(browser, phone, script=""):
    """The page on a small screen; yields it, and finds nothing that it complained of."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, ignore_https_errors=True, has_touch=True)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    if script:
        page.add_init_script(script)
    page.goto(phone.address)
    playwright.expect(page.get_by_role("status")).to_have_text("Connected.")
    yield page
    assert said == []
    context.close()


@pytest.fixture(scope="module")
def page(browser, phone):
    yield from opened(browser, phone)


@pytest.fixture
def tracking_page(browser, phone):
    yield from opened(browser, phone, TRACKING)


def moved(page, phone, num=100):
    """What moves within a while, by name and direction."""
    for _ in range(num):
        steps = {name: value for name, value in zip(phone.action.names, phone.read(), strict=True) if value}
        if steps:
            return {name.removesuffix(".step"): 1 if value > 0 else -1 for name, value in steps.items()}
        page.wait_for_timeout(10)
    return {}


def press(page, name, phone):
    """What moves while a button is held, which it must no longer do once it is let go."""
    page.get_by_role("button", name=name, exact=True).hover()
    page.mouse.down()
    found = moved(page, phone)
    page.mouse.up()
    page.wait_for_timeout(60)
    phone.read()
    assert moved(page, phone, 3) == {}
    return found


class TestPads:
    def test_each_pad_moves_the_hand_its_way(self, page, phone):
        assert press(page, "Forward", phone) == {"hand.x": 1}
        assert press(page, "Right", phone) == {"hand.y": -1}
        assert press(page, "Tips up", phone) == {"hand.pitch": -1}
        assert press(page, "Close", phone) == {"gripper": -1}

    def test_pads_work_from_the_keyboard_too(self, page, phone):
        page.get_by_role("button", name="Up", exact=True).focus()
        page.keyboard.down(" ")
        assert moved(page, phone) == {"hand.z": 1}
        page.keyboard.up(" ")
        page.wait_for_timeout(60)
        phone.read()

    def test_leaving_the_page_lets_go(self, page, phone):
        page.get_by_role("button", name="Left", exact=True).hover()
        page.mouse.down()
        assert moved(page, phone) == {"hand.y": 1}
        page.evaluate("dispatchEvent(new Event('blur'))")
        page.wait_for_timeout(60)
        phone.read()
        assert moved(page, phone, 3) == {}
        page.mouse.up()

    def test_without_motion_tracking_none_is_offered(self, page, phone):
        playwright.expect(page.get_by_text("Start motion tracking")).to_be_hidden()

    def test_everything_fits_a_phone(self, page, phone):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_moving_the_phone_moves_the_hand_while_move_is_held(tracking_page, phone):
    page = tracking_page
    page.get_by_role("button", name="Start motion tracking").click()
    page.evaluate("place = {x: 0, y: 0.02, z: 0}")
    assert moved(page, phone, 10) == {}
    page.get_by_role("button", name="Move hold, and move the phone").hover()
    page.mouse.down()
    page.wait_for_timeout(60)
    page.evaluate("place = {x: 0, y: 0.02, z: -0.02}")
    assert moved(page, phone) == {"hand.x": 1}
    page.mouse.up()
