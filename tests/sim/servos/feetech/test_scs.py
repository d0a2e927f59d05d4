"""A servo of the SCS series as a host and a joint see it."""

import math

import pytest

from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, encode, parse
from etude.hardware.buses.feetech.registers import SCS0009
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.scs import Scs0009

TICK_RAD = math.radians(300) / 1024
DT = 0.002
INERTIA, DRAG = 0.0005, 0.005


@pytest.fixture
def servo():
    return Scs0009(1)


@pytest.fixture
def chain(servo):
    return ServoChain([servo, Scs0009(2)])


def ask(chain, text):
    return chain.exchange(bytes.fromhex(text)).hex(" ").upper()


def put(chain, name, value, to=1):
    item = SCS0009[name]
    return chain.exchange(encode(Packet(to, Instruction.WRITE, bytes((item.address,)) + item.encode(value))))


def get(chain, name, to=1):
    item = SCS0009[name]
    answer = chain.exchange(encode(Packet(to, Instruction.READ, bytes((item.address, item.size)))))
    (reply,), _ = parse(answer)
    return item.decode(reply.params)


class Joint:
    """A light joint without gravity, turned by a servo for some seconds; keeps where it was in every step."""

    def __init__(self, servo, push_nm=0.0):
        self.servo, self.push_nm = servo, push_nm
        self.position = self.velocity = 0.0

    def live(self, seconds):
        path = []
        for _ in range(round(seconds / DT)):
            nm = self.servo.torque(self.position, self.velocity, DT) + self.push_nm - DRAG * self.velocity
            self.velocity += nm / INERTIA * DT
            self.position += self.velocity * DT
            path.append(self.position)
        return path


class TestWire:
    def test_numbers_have_their_high_byte_first(self, chain, servo):
        servo.torque((600 - 512) * TICK_RAD, 0.0, DT)
        assert ask(chain, "FF FF 01 04 02 38 02 BE") == "FF FF 01 04 00 02 58 A0"  # 0x0258 = 600
        assert ask(chain, "FF FF 01 04 02 03 02 F3") == "FF FF 01 04 00 05 04 F1"  # 0x0504 = 1284
        assert ask(chain, "FF FF 01 04 02 02 01 F5") == "FF FF 01 03 00 01 FA"  # and it says so

    def test_goal_time_and_speed_in_one_packet(self, chain, servo):
        assert ask(chain, "FF FF 01 09 03 2A 02 58 00 00 01 F4 79") == "FF FF 01 02 00 FC"
        assert (servo.memory.get("Goal_Position"), servo.memory.get("Goal_Velocity")) == (600, 500)

    @pytest.mark.parametrize(
        ("code", "params", "to"),
        [
            (Instruction.SYNC_READ, (56, 2, 1, 2), BROADCAST),
            (Instruction.PING, (), BROADCAST),
            (Instruction.CALIBRATE, (), 1),
            (Instruction.RESTART, (), 1),
        ],
    )
    def test_what_its_series_does_not_know_is_not_answered(self, chain, code, params, to):
        assert chain.exchange(encode(Packet(to, code, bytes(params)))) == b""

    def test_many_are_written_at_once(self, chain):
        blocks = bytes((42, 2, 1, 0x02, 0x00, 2, 0x03, 0x00))
        assert chain.exchange(encode(Packet(BROADCAST, Instruction.SYNC_WRITE, blocks))) == b""
        assert [get(chain, "Goal_Position", to) for to in (1, 2)] == [0x200, 0x300]

    def test_a_buffered_write_waits_for_its_action(self, chain, servo):
        assert ask(chain, "FF FF 01 05 04 2A 02 58 71") == "FF FF 01 02 00 FC"
        assert (servo.memory.get("Goal_Position"), get(chain, "Sync_Write_Flag")) == (0, 1)
        assert ask(chain, "FF FF FE 02 05 FA") == ""
        assert (servo.memory.get("Goal_Position"), get(chain, "Sync_Write_Flag")) == (600, 0)


class TestMemory:
    @pytest.mark.parametrize(("lock", "kept"), [(0, 30), (1, 20)])
    def test_its_lock_lies_elsewhere(self, chain, servo, lock, kept):
        put(chain, "Lock", lock)
        put(chain, "Min_Position_Limit", 30)
        servo.power_cycle()
        assert get(chain, "Min_Position_Limit") == kept
        assert get(chain, "Lock") == 1

    def test_the_lock_of_the_other_series_is_just_a_byte(self, chain, servo):
        ask(chain, "FF FF 01 04 03 37 00 C0")  # 55, where an STS3215 has it
        put(chain, "Max_Position_Limit", 900)
        servo.power_cycle()
        assert get(chain, "Max_Position_Limit") == 1003

    def test_a_range_is_a_calibration(self):
        servo = Scs0009(1, range_rad=(-1.0, 1.0), mounting_offset=10)
        # 1024 ticks for 300 degrees: 195.6 ticks per radian
        assert [servo.memory.get(f"{end}_Position_Limit") for end in ("Min", "Max")] == [326, 718]
        servo.power_cycle()
        assert servo.memory.get("Min_Position_Limit") == 326


class TestJoint:
    def test_a_goal_switches_it_on_and_it_goes_there(self, chain, servo):
        joint = Joint(servo)
        put(chain, "Goal_Position", 700)
        joint.live(1.0)
        assert get(chain, "Torque_Enable") == 1
        assert get(chain, "Present_Position") == pytest.approx(700, abs=2)
        assert joint.position == pytest.approx((700 - 512) * TICK_RAD, abs=0.02)
        assert (get(chain, "Moving"), get(chain, "Present_Voltage")) == (0, 60)

    def test_it_goes_no_further_than_its_limits(self, chain, servo):
        joint = Joint(servo)
        put(chain, "Max_Position_Limit", 600)
        put(chain, "Goal_Position", 1000)
        joint.live(1.0)
        assert get(chain, "Present_Position") == pytest.approx(600, abs=2)

    @pytest.mark.parametrize(("time_ms", "speed", "ticks"), [(0, 100, 50), (1000, 0, 100), (1000, 100, 50)])
    def test_speed_or_else_time_say_how_fast(self, chain, servo, time_ms, speed, ticks):
        joint = Joint(servo)
        put(chain, "Running_Time", time_ms)
        put(chain, "Goal_Velocity", speed)
        put(chain, "Goal_Position", 712)
        joint.live(0.5)
        assert get(chain, "Present_Position") - 512 == pytest.approx(ticks, abs=10)

    def test_its_potentiometer_has_ends(self, chain, servo):
        servo.torque(3.0, 0.0, DT)  # 172 degrees; the track ends at 150
        assert get(chain, "Present_Position") == 1023
        servo.torque(-3.0, 0.0, DT)
        assert get(chain, "Present_Position") == 0

    @pytest.mark.parametrize("word", [0, 2])
    def test_limp_it_gives_no_torque(self, chain, servo, word):
        put(chain, "Goal_Position", 800)
        put(chain, "Torque_Enable", word)
        assert servo.torque(0.0, 0.0, DT) == 0.0
        assert not servo.resists

    @pytest.mark.parametrize(("push", "way"), [(500, 1), (500 | 1 << 10, -1)])
    def test_without_limits_it_is_a_motor(self, chain, servo, push, way):
        joint = Joint(servo)
        for name in ("Min_Position_Limit", "Max_Position_Limit"):
            put(chain, name, 0)
        put(chain, "Torque_Enable", 1)
        put(chain, "Running_Time", push)
        joint.live(0.5)
        assert get(chain, "Present_Load") == way * 500
        assert joint.velocity * way > 2

    def test_it_gives_way_when_it_is_held_back_for_too_long(self, chain, servo):
        put(chain, "Protection_Time", 10)  # 0.4 s
        put(chain, "Goal_Position", 1000)
        for _ in range(150):
            stalled = servo.torque(0.0, 0.0, DT)
        for _ in range(100):
            servo.torque(0.0, 0.0, DT)
        assert stalled == pytest.approx(0.226)
        assert get(chain, "Present_Load") == 400
        assert get(chain, "Status") == 32
