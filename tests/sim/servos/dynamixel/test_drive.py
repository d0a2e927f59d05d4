"""The Dynamixel as the joint feels it: positions in, torque out."""

import math

import pytest

from etude.hardware.buses.dynamixel.packet import Instruction
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.models import XL430_W250
from etude.sim.servos.dynamixel.servo import XSeries

from .conftest import DT, TICK_RAD, get, move, put, send


class TestEncoder:
    def test_offset_is_added_and_a_reversed_drive_counts_backwards(self, chain, servo):
        put(chain, "Operating_Mode", 4)
        put(chain, "Homing_Offset", 10)
        move(servo, 100 * TICK_RAD)
        assert get(chain, "Present_Position") == 2158
        put(chain, "Drive_Mode", 1)
        assert get(chain, "Present_Position") == 4096 - 2148 + 10

    def test_a_servo_mounted_the_other_way_and_reversed_counts_as_its_joint(self):
        servo = XSeries(1, is_turned=True, settings={"Drive_Mode": 1, "Operating_Mode": 4})
        servo.settle(0.0)
        move(servo, 100 * TICK_RAD)
        assert get(DynamixelChain([servo]), "Present_Position") == 2148

    def test_in_position_mode_it_wraps_after_a_turn(self, chain, servo):
        move(servo, math.pi + 5 * TICK_RAD)
        assert get(chain, "Present_Position") == 5


class TestDriving:
    def test_switching_on_holds_where_the_joint_is(self, chain, servo):
        move(servo, 0.3)
        put(chain, "Torque_Enable", 1)
        assert get(chain, "Goal_Position") == round(2048 + 0.3 / TICK_RAD)
        assert move(servo, 0.3) == 0.0

    def test_a_small_error_makes_the_pwm_that_the_manual_says(self, chain, servo):
        """40 ticks at P = 400: 40 x 400 / 128 = 125 of 885, which is 0.706 V, and 0.0734 Nm at stall."""
        put(chain, "Torque_Enable", 1)
        put(chain, "Goal_Position", 2088)
        assert move(servo, 0.0) == pytest.approx(125 / 885 * 0.52, abs=1e-4)
        assert get(chain, "Present_PWM") == 125

    def test_stall_torque_is_that_of_the_data_sheet(self, chain, servo):
        put(chain, "Torque_Enable", 1)
        put(chain, "Goal_Position", 4000)
        assert move(servo, 0.0) == pytest.approx(0.52)

    def test_the_profile_is_kept(self, chain, servo):
        """100 x 0.229 rpm for 0.2 s: 22.9 / 60 x 0.2 of a turn."""
        put(chain, "Torque_Enable", 1)
        put(chain, "Profile_Velocity", 100)
        put(chain, "Goal_Position", 4000)
        move(servo, 0.0, 0.2)
        assert get(chain, "Position_Trajectory") == pytest.approx(2048 + 22.9 / 60 * 0.2 * 4096, abs=4)

    def test_a_timed_profile_takes_its_time(self, chain, servo):
        put(chain, "Drive_Mode", 4)
        put(chain, "Torque_Enable", 1)
        put(chain, "Profile_Velocity", 1000)
        put(chain, "Goal_Position", 3048)
        move(servo, 0.0, 0.5)
        assert get(chain, "Position_Trajectory") == pytest.approx(2548, abs=4)

    def test_current_limits_the_grip(self, chain, servo):
        """300 mA of the 1470 mA at stall."""
        put(chain, "Operating_Mode", 5)
        put(chain, "Torque_Enable", 1)
        put(chain, "Goal_Current", 300)
        put(chain, "Goal_Position", 5000)
        assert move(servo, 0.0) == pytest.approx(0.52 * 300 / 1470)
        assert get(chain, "Present_Current") == 300

    @pytest.mark.parametrize(("mode", "goal", "value"), [(0, "Goal_Current", 500), (16, "Goal_PWM", 400)])
    def test_current_and_pwm_modes_push(self, chain, servo, mode, goal, value):
        put(chain, "Operating_Mode", mode)
        put(chain, "Torque_Enable", 1)
        put(chain, goal, -value)
        share = value / 1470 if mode == 0 else value / 885
        assert move(servo, 0.0) == pytest.approx(-0.52 * share, rel=1e-3)

    def test_velocity_mode_turns_a_flywheel_at_the_speed_wanted(self, chain, servo):
        put(chain, "Operating_Mode", 1)
        put(chain, "Torque_Enable", 1)
        put(chain, "Goal_Velocity", 100)
        position = velocity = 0.0
        for _ in range(2000):
            velocity += (servo.torque(position, velocity, DT) - 0.02 * velocity) / 0.01 * DT
            position += velocity * DT
        assert velocity == pytest.approx(22.9 / 60 * 2 * math.pi, rel=0.02)

    def test_a_step_settles_at_its_goal(self):
        servo = XSeries(1, model=XL430_W250)
        chain = DynamixelChain([servo])
        put(chain, "Torque_Enable", 1)
        put(chain, "Goal_Position", 2500)
        position = velocity = 0.0
        path = []
        for _ in range(2000):
            velocity += (servo.torque(position, velocity, DT) - 0.02 * velocity) / 0.02 * DT
            position += velocity * DT
            path.append(position)
        assert max(path) < 480 * TICK_RAD
        assert position == pytest.approx(452 * TICK_RAD, abs=4 * TICK_RAD)


class TestErrors:
    def test_a_long_stall_shuts_down_until_it_restarts(self, chain, servo):
        put(chain, "Torque_Enable", 1)
        put(chain, "Goal_Position", 4000)
        move(servo, 0.0, 2.0)
        assert servo.torque(0.0, 0.0, DT) == 0.0
        assert (get(chain, "Hardware_Error_Status"), get(chain, "Torque_Enable")) == (32, 0)
        assert put(chain, "LED", 1) == 0x80
        put(chain, "Torque_Enable", 1)
        assert get(chain, "Torque_Enable") == 0
        send(chain, Instruction.REBOOT)
        assert put(chain, "Torque_Enable", 1) == 0
        assert (get(chain, "Hardware_Error_Status"), get(chain, "Torque_Enable")) == (0, 1)

    def test_a_weak_supply_is_an_alert(self, chain, servo):
        servo.drive.supply_v = 3.0
        assert put(chain, "LED", 1) == 0x80
        assert (get(chain, "Hardware_Error_Status"), get(chain, "Present_Input_Voltage")) == (1, 30)

    def test_a_hot_motor_lets_go(self, chain, servo):
        put(chain, "Torque_Enable", 1)
        servo.drive.temperature_c = 80.0
        move(servo, 0.0)
        assert (get(chain, "Hardware_Error_Status"), get(chain, "Torque_Enable")) == (4, 0)

    def test_the_watchdog_stops_a_servo_that_nobody_speaks_to(self, chain, servo):
        put(chain, "Operating_Mode", 1)
        put(chain, "Torque_Enable", 1)
        put(chain, "Bus_Watchdog", 5)
        put(chain, "Goal_Velocity", 100)
        move(servo, 0.0, 0.08)
        assert get(chain, "Goal_Velocity") == 100
        move(servo, 0.0, 0.12)
        assert (get(chain, "Goal_Velocity"), get(chain, "Bus_Watchdog")) == (0, 255)
        assert put(chain, "Goal_Velocity", 100) == 4
        put(chain, "Bus_Watchdog", 0)
        assert put(chain, "Goal_Velocity", 100) == 0
