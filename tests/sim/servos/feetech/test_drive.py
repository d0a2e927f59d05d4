"""The servo as the joint feels it: positions in, torque out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.hardware.buses.feetech.registers import register
from etude.sim.servos.feetech.models import C046, STS3250
from etude.sim.servos.feetech.servo import Sts3215

TICK_RAD = 2 * math.pi / 4096
DT = 0.002


def put(servo, **registers):
    for name, value in registers.items():
        item = register(name)
        servo.write(item.address, item.encode(value))


def get(servo, name):
    item = register(name)
    return item.decode(servo.read(item.address, item.size))


def stuck(servo, seconds, position=0.0):
    """Hold the joint fast for a while; give the last torque."""
    torque = 0.0
    for _ in range(round(seconds / DT)):
        torque = servo.torque(position, 0.0, DT)
    return torque


@pytest.fixture
def servo():
    servo = Sts3215(1)
    servo.torque(0.0, 0.0, DT)
    return servo


class TestEncoder:
    @pytest.mark.parametrize(
        ("position", "tick"),
        [(0.0, 2048), (math.pi / 2, 3072), (-math.pi / 2, 1024), (0.4 * TICK_RAD, 2048), (0.6 * TICK_RAD, 2049)],
    )
    def test_radians_to_ticks(self, servo, position, tick):
        servo.torque(position, 0.0, DT)
        assert get(servo, "Present_Position") == tick

    def test_mounting_center_and_homing(self):
        servo = Sts3215(1, mounting_offset=30, center_rad=0.5)
        servo.torque(0.5, 0.0, DT)
        assert get(servo, "Present_Position") == 2078
        put(servo, Homing_Offset=31)
        servo.torque(0.5, 0.0, DT)
        assert get(servo, "Present_Position") == 2047

    def test_one_turn_wraps_around(self, servo):
        servo.torque(math.pi + 5 * TICK_RAD, 0.0, DT)
        assert get(servo, "Present_Position") == 5

    def test_turns_are_counted_when_asked(self, servo):
        put(servo, Phase=12 | 16)
        servo.torque(-math.pi - 5 * TICK_RAD, 0.0, DT)
        assert get(servo, "Present_Position") == -5

    def test_what_a_register_cannot_hold_is_held_at_its_end(self, servo):
        servo.torque(0.0, 1e6, DT)
        assert get(servo, "Present_Velocity") == 32767

    def test_velocity_is_in_ticks_per_second(self, servo):
        servo.torque(0.0, -math.pi, DT)
        assert get(servo, "Present_Velocity") == -2048


class TestLaw:
    def test_without_torque_the_joint_is_free(self, servo):
        put(servo, Goal_Position=3000, Torque_Enable=0)
        assert servo.torque(0.0, 1.0, DT) == 0.0

    def test_torque_of_a_small_error(self, servo):
        """40 ticks at P=16: duty 16 x 0.166 x 0.06136 rad = 0.16297, times 7.4 V x kt / R = 0.5460 Nm."""
        put(servo, P_Coefficient=16, Goal_Position=2088)
        assert stuck(servo, 0.1) == pytest.approx(0.5460, abs=1e-4)
        assert get(servo, "Present_Load") == 163
        assert get(servo, "Present_Current") == round(0.5460 / 1.21164 / 0.0065)

    def test_stall_torque_is_that_of_the_data_sheet(self, servo):
        put(servo, Goal_Position=3000)
        assert stuck(servo, 0.5) == 1.91

    def test_the_torque_limit_scales_it(self, servo):
        put(servo, Goal_Position=3000, Torque_Limit=500)
        assert stuck(servo, 0.5) == pytest.approx(0.955)

    def test_a_turning_motor_brakes_itself(self, servo):
        """Damping: only back-EMF is left, kt^2 / R = 0.54857 Nms/rad."""
        put(servo, Torque_Enable=2)
        assert servo.torque(0.0, 1.0, DT) == pytest.approx(-0.54857, abs=1e-4)

    def test_errors_in_the_dead_zone_are_none(self, servo):
        put(servo, CW_Dead_Zone=5, CCW_Dead_Zone=5, Goal_Position=2053)
        assert stuck(servo, 0.1) == 0.0
        put(servo, Goal_Position=2054)
        assert stuck(servo, 0.1) > 0

    def test_speed_without_load_is_that_of_the_data_sheet(self, servo):
        """The duty ends at 0.97, so torque is zero at 0.97 x 7.4 / kt = 5.92 rad/s; friction takes the rest."""
        put(servo, Goal_Position=4000)
        stuck(servo, 0.5)
        assert servo.torque(0.0, 5.90, DT) > 0
        assert servo.torque(0.0, 5.95, DT) < 0

    @given(st.floats(-3, 3), st.floats(-6, 6), st.integers(0, 4095))
    def test_no_state_gives_more_than_stall_torque(self, position, velocity, goal):
        servo = Sts3215(1)
        put(servo, Goal_Position=goal)
        for _ in range(5):
            assert abs(servo.torque(position, velocity, DT)) <= 1.91


class TestProfile:
    def setpoints(self, servo, seconds):
        """Where an unloaded joint that follows at once would be."""
        return [self._follow(servo) for _ in range(round(seconds / DT))]

    def _follow(self, servo):
        servo.torque(0.0, 0.0, DT)
        return servo.drive._setpoint

    def test_goal_velocity_is_kept(self, servo):
        put(servo, Goal_Velocity=500, Goal_Position=3048)
        path = self.setpoints(servo, 1.0)
        assert path[-1] == pytest.approx(2548, abs=1)

    def test_without_one_it_goes_3400_ticks_per_second(self, servo):
        put(servo, Goal_Position=4048)
        assert self.setpoints(servo, 0.5)[-1] == pytest.approx(2048 + 1700, abs=7)

    def test_acceleration_is_kept_and_the_goal_is_not_passed(self, servo):
        """10 x 100 ticks/s^2: 125 ticks in the first half second; braking so that 500 ticks take sqrt(2) s."""
        put(servo, Acceleration=10, Goal_Position=2548)
        path = self.setpoints(servo, 1.6)
        assert path[249] - 2048 == pytest.approx(125, abs=2)
        assert path[-1] == 2548
        assert max(path) == 2548
        assert path.index(2548.0) * DT == pytest.approx(math.sqrt(2), abs=0.05)

    def test_it_is_moving_until_it_is_there(self, servo):
        put(servo, Goal_Velocity=500, Goal_Position=2548)
        self.setpoints(servo, 0.9)
        assert get(servo, "Moving") == 1
        self.setpoints(servo, 0.2)
        assert get(servo, "Moving") == 0


class TestProtection:
    def test_overload_reduces_the_torque_after_its_time(self, servo):
        put(servo, Goal_Position=3000)
        assert stuck(servo, 2.0) == 1.91
        assert stuck(servo, 0.5) == pytest.approx(0.2 * 7.4 * 1.21164 / 2.67617)
        assert get(servo, "Status") == 32

    def test_it_ends_when_the_load_is_gone(self, servo):
        put(servo, Goal_Position=3000)
        stuck(servo, 2.5)
        stuck(servo, 0.1, position=(3000 - 2048) * TICK_RAD)
        assert get(servo, "Status") == 0

    def test_it_ends_when_the_torque_is_switched_off(self, servo):
        put(servo, Goal_Position=3000)
        stuck(servo, 2.5)
        put(servo, Torque_Enable=0)
        assert get(servo, "Status") == 0

    def test_it_only_reports_when_told_so(self, servo):
        put(servo, Unloading_Condition=0, Goal_Position=3000)
        assert stuck(servo, 2.5) == 1.91
        assert get(servo, "Status") == 32

    def test_a_stalled_motor_warms_up_and_cools_down(self, servo):
        put(servo, Unloading_Condition=0, Goal_Position=3000)
        for _ in range(1800):
            servo.torque(0.0, 0.0, 1.0)
        assert 50 < get(servo, "Present_Temperature") < 65
        put(servo, Torque_Enable=0)
        for _ in range(15_000):
            servo.torque(0.0, 0.0, 1.0)
        assert get(servo, "Present_Temperature") == 25

    def test_a_hot_motor_lets_go(self, servo):
        put(servo, Goal_Position=2100)
        servo.drive.temperature_c = 71.0
        assert servo.torque(0.0, 0.0, DT) == 0.0
        assert get(servo, "Status") == 4


class TestModes:
    def test_pwm_mode_pushes_with_the_duty_wanted(self, servo):
        """A tenth of 7.4 V times kt / R."""
        put(servo, Operating_Mode=2, Goal_Time=-100, Torque_Enable=1)
        assert servo.torque(0.0, 0.0, DT) == pytest.approx(-0.335, abs=1e-3)

    @pytest.mark.parametrize("ticks_per_s", [800, -800])
    def test_velocity_mode_turns_a_flywheel_at_the_speed_wanted_for_turns(self, servo, ticks_per_s):
        put(servo, Operating_Mode=1, Goal_Velocity=ticks_per_s, Torque_Enable=1)
        position = velocity = 0.0
        for _ in range(5000):
            velocity += (servo.torque(position, velocity, DT) - 0.059 * velocity) / 0.03 * DT
            position += velocity * DT
        assert velocity == pytest.approx(ticks_per_s * TICK_RAD, rel=0.02)
        assert abs(position) > 2 * math.pi

    def test_velocity_mode_gives_up_pulling_at_a_stuck_joint(self, servo):
        put(servo, Operating_Mode=1, Goal_Velocity=500, Torque_Enable=1)
        stuck(servo, 5.0)
        assert get(servo, "Status") == 32

    def test_step_mode_goes_on_from_the_last_goal(self, servo):
        put(servo, Operating_Mode=3, Torque_Enable=1)
        for _ in range(2):
            put(servo, Goal_Position=100)
            stuck(servo, 0.2)
        assert servo.drive._goal == 2248


class TestModels:
    def test_gears_scale_speed_and_torque(self):
        servo = Sts3215(1, model=C046)
        put(servo, Goal_Position=4000)
        assert stuck(servo, 0.5) == pytest.approx(1.91 * 147 / 345)

    def test_an_sts3250_tells_its_number_and_bears_12_volts(self):
        servo = Sts3215(1, model=STS3250)
        assert (get(servo, "Model_Number"), get(servo, "Present_Voltage"), get(servo, "Status")) == (2825, 120, 0)

    def test_the_answer_waits_as_long_as_it_should(self, servo):
        put(servo, Return_Delay_Time=250)
        assert servo.delay_s == pytest.approx(0.5e-3)


def test_a_pendulum_settles_near_its_goal():
    """The step response of an arm-like load: quick, with some overshoot, and short of the goal by gravity's share."""
    servo, position, velocity = Sts3215(1), 0.0, 0.0
    put(servo, P_Coefficient=16, Acceleration=254, Goal_Position=2048 + 326)
    path = []
    for _ in range(3000):
        torque = servo.torque(position, velocity, 0.0005) - 0.4
        velocity += (torque - 0.059 * velocity) / 0.06 * 0.0005
        position += velocity * 0.0005
        path.append(position)
    assert 0.5 < max(path) < 0.65
    assert 10 < (0.5 - position) / TICK_RAD < 40
