"""The phone's server, spoken to by a scripted client."""

import http.client
import json
import ssl
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from etude.core.clock import SimClock
from etude.core.errors import ConfigError, DeviceError
from etude.hardware.teleoperators.phone import invitation
from etude.hardware.teleoperators.phone.config import Config
from etude.hardware.teleoperators.phone.teleoperator import build

TRUSTING = ssl._create_unverified_context()
ORIENTATION = {"w": 1, "x": 0, "y": 0, "z": 0}


@pytest.fixture(scope="module")
def key_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def phone(key_dir):
    """The teleoperator, and its time."""
    clock = SimClock()
    phone = build(Config(port=0, key_dir=key_dir), clock)
    phone.clock = clock
    phone.connect()
    yield phone
    phone.disconnect()


@contextmanager
def client(phone, *, origin=None, code=None):
    """A connected phone; yields what says a message and waits until it is heard."""
    address = urlsplit(phone.address)
    path = f"wss://{address.netloc}/ws?{address.query if code is None else f'code={code}'}"
    own = f"https://{address.netloc}"
    with connect(path, ssl=TRUSTING, origin=origin or own, compression=None, open_timeout=60) as socket:

        def say(kind, data):
            socket.send(json.dumps({"type": kind, "data": data}))
            socket.ping().wait(5)  # answered in order: whatever was said before has been heard

        say.socket = socket
        yield say


def moving(z, is_moving=True):
    return {"position": {"x": 0, "y": 0, "z": z}, "orientation": ORIENTATION, "move": is_moving}


def read(phone):
    """The steps of one tick; what moved only."""
    phone.clock.sleep_until(phone.clock.now() + 1 / 30)
    return {name: value for name, value in zip(phone.action.names, phone.read(), strict=True) if value}


def heard(phone, until=lambda moved: moved):
    """The steps of the first tick at which something arrived."""
    for _ in range(3000):
        if until(moved := read(phone)):
            return moved
        time.sleep(0.005)
    raise AssertionError("nothing was heard")


def test_the_hand_follows_a_phone_that_is_moved(phone):
    with client(phone) as say:
        say("pose", moving(0))
        say("pose", moving(-0.02))
        assert heard(phone) == {"hand.x.step": pytest.approx(0.02)}
        assert read(phone) == {}
        say("pose", moving(-0.03, is_moving=False))
        assert read(phone) == {}


def test_pads_push_while_they_are_held(phone):
    with client(phone) as say:
        say("push", {"hand.z": 1, "gripper": -1})
        moved = heard(phone)
        assert moved["hand.z.step"] == pytest.approx(0.08 / 30, rel=0.01)
        assert moved["gripper.step"] == pytest.approx(-60 / 30, rel=0.01)
        say("push", {})
        heard(phone, lambda moved: not moved)


def test_a_phone_that_falls_silent_pushes_no_more_and_is_told_of(phone):
    with client(phone) as say:
        say("push", {"hand.x": 1})
        heard(phone)
        assert phone.problem == ""
        phone.clock.sleep_until(phone.clock.now() + 2)
        assert read(phone) == {}
        assert "silent" in phone.problem


def test_without_a_phone_it_holds_still_and_says_so(phone):
    assert read(phone) == {}
    assert "No phone" in phone.problem
    assert phone.address in phone.invitation


def test_a_phone_that_leaves_and_comes_back_goes_on(phone):
    for _ in range(2):
        with client(phone) as say:
            say("push", {"hand.y": -1})
            assert set(heard(phone)) == {"hand.y.step"}
        phone.clock.sleep_until(phone.clock.now() + 2)
        assert read(phone) == {}


def test_a_reset_forgets(phone):
    with client(phone) as say:
        say("pose", moving(0))
        say("pose", moving(-0.02))
        say("push", {"hand.z": 1})
        time.sleep(0.05)
        phone.reset(0)
        assert read(phone) == {}


@pytest.mark.parametrize("nonsense", ["{", "[]", '"pose"', '{"type": "pose"}', '{"type": "pose", "data": {}}',
    "[" * 2000,
    '{"type": "push", "data": {"hand.x": "far"}}', '{"type": "push", "data": {"hand.x": 1e999}}',
    '{"type": "push", "data": [1]}', '{"type": "pose", "data": {"position": 1, "orientation": 2}}'])  # fmt: skip
def test_nonsense_is_passed_over(phone, nonsense):
    with client(phone) as say:
        say.socket.send(nonsense)
        say.socket.send(b"\x00")
        say("push", {"hand.x": 1})
        assert set(heard(phone)) == {"hand.x.step"}


def test_the_newest_phone_drives(phone):
    with client(phone) as first:
        first("push", {"hand.x": 1})
        heard(phone)
        with client(phone) as second:
            second("push", {"hand.y": 1})
            heard(phone, lambda moved: set(moved) == {"hand.y.step"})
            with pytest.raises(Exception, match="4000"):
                first.socket.recv(timeout=5)


@pytest.mark.parametrize(
    "who", [{"code": "guess"}, {"code": ""}, {"origin": "https://evil.example"}, {"origin": "https://localhost:1"}]
)
def test_strangers_are_not_let_in(phone, who):
    with pytest.raises(InvalidStatus, match="403"), client(phone, **who):
        pass


def get(phone, path, host=None):
    address = urlsplit(phone.address)
    line = http.client.HTTPSConnection("127.0.0.1", address.port, context=TRUSTING, timeout=5)
    line.request("GET", path, headers={"Host": host or address.netloc})
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer, text


def test_the_page_is_given_with_the_code_only(phone):
    address = urlsplit(phone.address)
    answer, text = get(phone, f"/?{address.query}")
    assert answer.status == 200
    assert "Drive the arm" in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert address.query.removeprefix("code=") not in text
    answer, text = get(phone, "/")
    assert answer.status == 403
    assert "code is wrong" in text
    assert get(phone, f"/etc/passwd?{address.query}")[0].status == 404
    assert get(phone, "/page.js")[0].status == 200


def test_other_names_for_this_machine_are_not_served(phone):
    address = urlsplit(phone.address)
    for host in ("evil.example", f"evil.example:{address.port}", "127.0.0.1:1"):
        assert get(phone, f"/?{address.query}", host)[0].status == 421
    assert get(phone, f"/?{address.query}", f"localhost:{address.port}")[0].status == 200


def test_each_start_has_a_new_code_and_the_same_key(phone, key_dir):
    before, pem = phone.address, (key_dir / "phone.pem").read_bytes()
    assert (key_dir / "phone.pem").stat().st_mode & 0o077 == 0
    phone.disconnect()
    assert phone.address == ""
    phone.connect()
    assert phone.address.split("code=")[1] != before.split("code=")[1]
    assert (key_dir / "phone.pem").read_bytes() == pem


def test_a_port_that_is_taken_is_told_in_a_sentence(phone, key_dir):
    taken = urlsplit(phone.address).port
    with pytest.raises(DeviceError, match=f"port {taken}"):
        build(Config(port=taken, key_dir=key_dir)).connect()


def test_the_picture_of_the_address_can_be_read_by_a_camera():
    text = "https://192.168.178.55:4443/?code=AbCd-fGh12_4"
    lines = invitation.qr_code(text).splitlines()
    rows = [[half for char in line for half in [char in "█▀"]] for line in lines]
    below = [[char in "█▄" for char in line] for line in lines]
    picture = np.array([row for pair in zip(rows, below, strict=True) for row in pair])
    large = np.kron(picture, np.ones((8, 8), bool)).astype(np.uint8) * 255
    assert cv2.QRCodeDetector().detectAndDecode(large)[0] == text


def test_an_invitation_says_who_can_open_it():
    assert "same network" in invitation.invitation("https://192.168.0.4:4443/?code=x")
    assert "adb reverse tcp:4443 tcp:4443" in invitation.invitation("https://127.0.0.1:4443/?code=x")


def test_addresses_are_told_apart():
    assert invitation.is_loopback("127.0.0.1")
    assert invitation.is_loopback("localhost")
    assert not invitation.is_loopback("192.168.0.4")
    assert invitation.reachable_at("192.168.0.4") == "192.168.0.4"
    assert invitation.reachable_at("0.0.0.0") not in {"0.0.0.0", ""}


@pytest.mark.parametrize("config", [{"port": 70000}, {"scale": 0}, {"hand_speed_m_s": -1}])
def test_a_config_that_makes_no_sense_is_refused(config):
    with pytest.raises(ConfigError):
        Config(**config)
