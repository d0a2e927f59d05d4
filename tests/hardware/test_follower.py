"""The driver against six servos behind a line in memory, as it meets a real arm: no scene, a calibration file."""

from dataclasses import replace

import numpy as np
import pytest

from etude.core.errors import ConfigError, DeviceError, MotorSilent, SpecMismatch
from etude.core.frame import STATE
from etude.hardware import arm as arm_module
from etude.hardware import robots
from etude.hardware.buses.feetech import bus as feetech
from etude.hardware.calibration import MotorCalibration, load_calibration, save_calibration
from etude.hardware.device import connected
from etude.hardware.robots.so101_follower.kind import MOTORS
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215

DT = 0.002
RANGE = (-1.5, 1.5)
LOW, HIGH = 1070, 3026  # 2048 +- 1.5 rad x 4096 / 2 pi


class Clock:
    """A time that the test sets."""

    time = 0.0

    def now(self):
        return self.time

    def __init__(self, live):
        self._live = live

    def sleep_until(self, instant):
        if instant > self.time:
            self._live(instant - self.time)


class Arm:
    """Six calibrated servos on a line, each with a joint that follows its torque without friction or gravity."""

    def __init__(self, line):
        self.servos = [Sts3215(motor.id, range_rad=RANGE) for motor in MOTORS.values()]
        self.line = line(ServoChain(self.servos).exchange)
        self.clock = Clock(self.rest)
        self.position, self.velocity = np.zeros(6), np.zeros(6)
        self.rest()

    def rest(self, seconds=DT):
        """Let time pass."""
        for _ in range(round(seconds / DT)):
            state = zip(self.servos, self.position, self.velocity, strict=True)
            torque = np.array([servo.torque(position, velocity, DT) for servo, position, velocity in state])
            self.velocity += (torque - 0.6 * self.velocity) / 0.05 * DT
            self.position += self.velocity * DT
        self.clock.time += seconds

    def registers(self, name):
        return [servo.memory.get(name) for servo in self.servos]


@pytest.fixture
def arm(line, monkeypatch):
    arm = Arm(type(line))
    monkeypatch.setattr(feetech, "line_at", lambda port, **_: arm.line)
    monkeypatch.setattr(arm_module, "RealClock", lambda: arm.clock)
    return arm


@pytest.fixture
def config(tmp_path):
    stored = {
        name: MotorCalibration(id=motor.id, drive_mode=0, homing_offset=0, range_min=LOW, range_max=HIGH)
        for name, motor in MOTORS.items()
    }
    save_calibration(tmp_path / "red.json", stored)
    options = {"rest_pose": {}, "guardian": False, "table_height_m": None}
    return robots.config("so101_follower")(port="/dev/ttyTEST", id="red", calibration_dir=tmp_path, **options)


@pytest.fixture
def robot(arm, config):
    robot = robots.build(config)
    robot.connect()
    yield robot
    robot.disconnect()


class TestConnecting:
    def test_the_motors_are_set_up_as_lerobot_does(self, arm, robot):
        everywhere = {
            "Return_Delay_Time": 0, "Maximum_Acceleration": 254, "Acceleration": 254, "Operating_Mode": 0,
            "P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32, "Torque_Enable": 1, "Lock": 1,
        }  # fmt: skip
        assert {name: arm.registers(name) for name in everywhere} == {name: [v] * 6 for name, v in everywhere.items()}
        assert arm.registers("Max_Torque_Limit") == [1000] * 5 + [500]
        assert arm.registers("Protection_Current") == [500] * 5 + [250]
        assert arm.registers("Overload_Torque") == [80] * 5 + [25]

    def test_the_set_up_outlives_the_power(self, arm, robot):
        for servo in arm.servos:
            servo.power_cycle()
        assert arm.registers("P_Coefficient") == [16] * 6

    def test_turn_counting_is_switched_off(self, arm, config):
        arm.servos[2].memory.set("Phase", 12 | 16)
        robot = robots.build(config)
        robot.connect()
        assert arm.registers("Phase") == [12] * 6
        robot.disconnect()

    def test_what_is_right_already_is_not_written_again(self, arm, config):
        for _ in range(2):
            arm.line.sent.clear()
            robot = robots.build(config)
            robot.connect()
            robot.disconnect()
        eeprom_writes = [packet for packet in arm.line.sent if packet[4] == 3 and packet[5] < 40]
        assert eeprom_writes == []

    def test_the_arm_holds_where_it_is(self, arm, config):
        arm.position[:] = [0.3, -0.2, 0.1, 0.0, 0.7, -1.0]
        arm.rest()
        before = arm.position.copy()
        robot = robots.build(config)
        robot.connect()
        arm.rest(0.5)
        np.testing.assert_allclose(arm.position, before, atol=0.005)
        robot.disconnect()

    def test_a_goal_that_is_lost_makes_no_motor_jump(self, arm, config, monkeypatch):
        answer = arm.line.answer
        monkeypatch.setattr(arm.line, "answer", lambda data: b"" if data[4] == 0x83 else answer(data))  # sync writes
        for servo in arm.servos:
            servo.memory.set("Goal_Position", 3000)
        robot = robots.build(config)
        robot.connect()
        arm.rest(0.5)
        np.testing.assert_allclose(arm.position, 0, atol=0.01)
        robot.disconnect()

    def test_twice_is_as_once(self, arm, robot):
        arm.line.sent.clear()
        robot.connect()
        assert arm.line.sent == []

    def test_a_silent_motor_is_named_and_the_line_is_closed(self, arm, config):
        arm.servos[3].is_silent = True
        with pytest.raises(MotorSilent, match=r"'wrist_flex' \(id 4\) .* do answer: 1, 2, 3, 5, 6"):
            robots.build(config).connect()
        assert not arm.line.is_open
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_another_model_is_refused(self, arm, config):
        arm.servos[0].memory.set("Model_Number", 2825)
        with pytest.raises(DeviceError, match=r"'shoulder_pan' .* has model number 2825, not 777"):
            robots.build(config).connect()

    def test_when_setting_up_fails_the_torque_is_off(self, arm, config, monkeypatch):
        def fail(arm):
            arm.bus.sync_write("Torque_Enable", dict.fromkeys(MOTORS, 1))
            raise DeviceError("no")

        monkeypatch.setattr(arm_module.Arm, "hold", fail)
        with pytest.raises(DeviceError, match="no"):
            robots.build(config).connect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert not arm.line.is_open


class TestCalibration:
    def test_without_a_file_the_motors_own_ranges_count(self, arm, config):
        robot = robots.build(replace(config, id="blue"))
        with connected(robot):
            without = robot.observe()
        robot = robots.build(config)
        with connected(robot):
            np.testing.assert_allclose(robot.observe()["observation.state"], without["observation.state"], atol=0.2)

    def test_new_motors_without_a_file_are_to_be_calibrated(self, arm, config):
        for servo in arm.servos:
            servo.memory.set("Min_Position_Limit", 0)
            servo.memory.set("Max_Position_Limit", 4095)
        with pytest.raises(DeviceError, match=r"not calibrated.*no file .*blue\.json.*etude calibrate --robot.type"):
            robots.build(replace(config, id="blue")).connect()

    def test_motors_that_disagree_with_the_file_are_refused(self, arm, config):
        arm.servos[1].memory.set("Homing_Offset", 77)
        with pytest.raises(DeviceError, match=r"'shoulder_lift' .* homing_offset is 77 in the motor and 0 in the file"):
            robots.build(config).connect()

    def test_a_file_of_another_arm_is_refused(self, arm, config):
        path = config.calibration_dir / "red.json"
        stored = load_calibration(path)
        save_calibration(path, {"elbow_flex": stored["elbow_flex"]})
        with pytest.raises(DeviceError, match="says nothing of shoulder_pan, shoulder_lift, wrist_flex"):
            robots.build(config).connect()

    def test_the_order_in_the_file_does_not_matter(self, arm, config):
        path = config.calibration_dir / "red.json"
        save_calibration(path, dict(reversed(load_calibration(path).items())))
        arm.position[0] = 0.5
        arm.rest()
        robot = robots.build(config)
        robot.connect()
        assert robot.observe()[STATE].argmax() in (0, 5)
        assert robot.observe()[STATE][0] == pytest.approx(np.degrees(0.5), abs=0.1)
        robot.disconnect()


class TestMoving:
    def test_degrees_and_the_gripper_from_0_to_100(self, arm, robot):
        arm.position[:] = [np.pi / 6, 0, 0, 0, -np.pi / 4, 0.75]
        arm.velocity[:] = 0
        arm.rest()
        np.testing.assert_allclose(robot.observe()[STATE], [30, 0, 0, 0, -45, 75], atol=0.3)

    def test_without_degrees_joints_go_from_minus_100_to_100(self, arm, config):
        arm.position[:] = 0.75
        arm.rest()
        robot = robots.build(replace(config, use_degrees=False))
        robot.connect()
        np.testing.assert_allclose(robot.observe()[STATE], [50, 50, 50, 50, 50, 75], atol=0.3)
        robot.disconnect()

    def test_an_action_moves_the_arm(self, arm, robot):
        goal = np.array([20, -15, 10, 5, -25, 60], np.float32)
        for _ in range(60):
            robot.apply(goal)
            arm.rest(1 / 30)
            frame = robot.observe()
        np.testing.assert_allclose(frame[STATE], goal, atol=1.0)
        assert robot.clipped == ()

    def test_one_packet_each_way_per_tick_and_now_and_then_how_a_motor_feels(self, arm, robot):
        arm.line.sent.clear()
        for _ in range(30):
            robot.observe()
            robot.apply(np.zeros(6, np.float32))
            arm.rest(1 / 30)
        asked = [packet[4:7].hex(" ") for packet in arm.line.sent]
        assert asked[:5] == ["82 38 02", "02 3c 06", "83 2a 02", "82 38 02", "83 2a 02"]
        assert asked.count("02 3c 06") == 4
        assert len(asked) == 64
        assert list(robot.health().motors) == list(MOTORS)[:4]

    def test_what_is_too_far_is_clipped_and_told(self, arm, robot):
        applied = robot.apply(np.array([500, 0, 0, 0, 0, 50], np.float32))
        assert 0 < applied[0] < 5
        assert robot.clipped[0] == "shoulder_pan.pos is beyond its limits: asked for 500.0, given 86.0"

    def test_reach_by_motor(self, arm, config):
        robot = robots.build(replace(config, max_relative_target={"gripper": 1.0}))
        robot.connect()
        applied = robot.apply(np.array([1.5, 0, 0, 0, 0, 51.9], np.float32))
        assert applied[0] == 1.5
        assert applied[5] == pytest.approx(51.0, abs=0.05)
        robot.disconnect()

    @pytest.mark.parametrize("wrong", [np.zeros(5, np.float32), np.zeros(6), np.zeros((1, 6), np.float32)])
    def test_an_action_of_another_shape_is_refused(self, robot, wrong):
        with pytest.raises(SpecMismatch, match="'action' should be float32"):
            robot.apply(wrong)


class TestLeaving:
    def test_the_torque_is_released(self, arm, robot):
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert not arm.line.is_open
        robot.disconnect()

    def test_unless_told_otherwise(self, arm, config):
        robot = robots.build(replace(config, disable_torque_on_disconnect=False))
        robot.connect()
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [1] * 6

    def test_a_motor_that_cannot_be_reached_does_not_keep_the_others_stiff(self, arm, robot):
        arm.servos[0].is_silent = True
        with pytest.raises(MotorSilent, match="shoulder_pan"):
            robot.disconnect()
        assert arm.registers("Torque_Enable")[1:] == [0] * 5
        assert not arm.line.is_open

    def test_an_overloaded_gripper_is_released_without_a_word(self, arm, robot):
        arm.servos[5].drive.supply_v = 3.0
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_when_disconnected_it_says_so(self, arm, config):
        robot = robots.build(config)
        for use in (robot.observe, lambda: robot.apply(np.zeros(6, np.float32))):
            with pytest.raises(DeviceError, match=r"The arm on /dev/ttyTEST is not connected"):
                use()


class TestConfig:
    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({"max_speed": 0.0}, "max_speed should be positive"),
            ({"num_read_retries": -1}, "num_read_retries should not be negative"),
            ({"max_relative_target": -1.0}, "max_relative_target should be positive"),
            ({"max_relative_target": {"griper": 1.0}}, "max_relative_target names griper; the motors are shoulder_pan"),
        ],
    )
    def test_values_that_make_no_sense(self, config, arm, values, problem):
        with pytest.raises(ConfigError, match=problem):
            robots.build(replace(config, **values))


class TestSafety:
    def live(self, arm, robot, goal, ticks):
        """Ask for `goal` again and again; give what was applied and what was said."""
        applied, said = [], []
        for _ in range(ticks):
            robot.observe()
            applied.append(robot.apply(np.array(goal, np.float32)))
            said += [*robot.events, *robot.clipped]
            arm.rest(1 / 30)
        return np.array(applied), said

    def test_stopped_it_holds_until_it_may_go_on(self, arm, robot):
        self.live(arm, robot, [20, 0, 0, 0, 0, 50], 30)
        robot.stop()
        applied, said = self.live(arm, robot, [-40, 0, 0, 0, 0, 50], 10)
        assert np.ptp(applied[:, 0]) < 0.5
        assert set(said) == {"the arm holds still: you asked for it"}
        assert robot.health().warnings == ("The arm holds still: you asked for it.",)
        robot.resume()
        applied, _ = self.live(arm, robot, [-40, 0, 0, 0, 0, 50], 60)
        assert applied[-1, 0] == -40

    def test_limp_it_gets_no_goals(self, arm, robot):
        robot.observe()
        robot.limp("the person pressed the red key")
        arm.line.sent.clear()
        robot.stop()
        applied, said = self.live(arm, robot, [30, 0, 0, 0, 0, 50], 3)
        assert not [packet for packet in arm.line.sent if packet[4] == 0x83]
        assert arm.registers("Torque_Enable") == [0] * 6
        assert said[-1] == "the arm is limp: the person pressed the red key"
        assert np.abs(applied[:, 0]).max() < 1
        robot.resume()
        assert arm.registers("Torque_Enable") == [1] * 6

    @pytest.mark.parametrize(
        ("harm", "why"),
        [
            (lambda servo: setattr(servo.drive, "temperature_c", 66.0), "is too hot: 66 degrees"),
            (lambda servo: setattr(servo.drive, "supply_v", 4.2), "gets too little voltage: 4.2 V"),
        ],
    )
    def test_a_motor_that_feels_bad_holds_the_arm_and_says_so(self, arm, robot, harm, why):
        for servo in arm.servos:
            harm(servo)
        applied, said = self.live(arm, robot, [60, 0, 0, 0, 0, 50], 20)
        assert np.abs(applied[:, 0]).max() < 5
        assert any(why in sentence for sentence in said)
        assert any(why in sentence or "stops" in sentence for sentence in robot.health().warnings)

    def test_it_goes_on_when_the_motor_is_well_again(self, arm, robot):
        arm.servos[1].drive.temperature_c = 66.0
        self.live(arm, robot, [60, 0, 0, 0, 0, 50], 30)
        arm.servos[1].drive.temperature_c = 40.0
        applied, said = self.live(arm, robot, [60, 0, 0, 0, 0, 50], 120)
        assert applied[-1, 0] == 60
        assert said[-1] != "the arm holds still"

    def test_a_person_who_stops_an_arm_that_was_stopped_already_has_the_last_word(self, arm, robot):
        arm.servos[1].drive.temperature_c = 66.0
        self.live(arm, robot, [60, 0, 0, 0, 0, 50], 30)
        robot.stop()
        arm.servos[1].drive.temperature_c = 40.0
        applied, _ = self.live(arm, robot, [60, 0, 0, 0, 0, 50], 90)
        assert np.ptp(applied[:, 0]) < 0.5

    def test_a_much_too_hot_motor_lets_the_arm_go(self, arm, robot):
        arm.servos[1].drive.temperature_c = 80.0
        _, said = self.live(arm, robot, [60, 0, 0, 0, 0, 50], 30)
        assert arm.registers("Torque_Enable") == [0] * 6
        assert "The arm went limp: Motor 'shoulder_lift' (id 2) is too hot: 80 degrees." in said

    def test_without_actions_it_goes_no_farther_than_it_was_sent(self, arm, robot):
        applied, _ = self.live(arm, robot, [80, 0, 0, 0, 0, 50], 20)
        assert applied[-1, 0] < 70, "it is on its way"
        for _ in range(60):
            arm.rest(1 / 30)
            robot.observe()
        assert robot.observe()[STATE][0] == pytest.approx(applied[-1, 0], abs=3)

    def test_a_motor_that_lost_its_power_is_set_up_again_where_it_is(self, arm, robot):
        self.live(arm, robot, [20, 0, 0, 0, 0, 50], 30)
        arm.servos[0].is_silent = True
        self.live(arm, robot, [20, 0, 0, 0, 0, 50], 2)
        assert list(arm.line.sent[-1][7:-1:3]) == [2, 3, 4, 5, 6], "no goal wakes it up before it is looked after"
        arm.servos[0].power_cycle()
        arm.servos[0].is_silent = False
        _, said = self.live(arm, robot, [20, 0, 0, 0, 0, 50], 5)
        assert "Motor 'shoulder_pan' had lost its power." in said
        assert arm.registers("Torque_Enable") == [1] * 6
        assert arm.registers("Acceleration") == [254] * 6

    def test_a_motor_in_doubt_gets_no_goal_by_a_stop_either(self, arm, robot):
        self.live(arm, robot, [20, 0, 0, 0, 0, 50], 3)
        robot._doubtful = {"shoulder_pan"}
        arm.servos[0].memory.set("Goal_Position", 1234)
        robot.stop()
        assert arm.registers("Goal_Position")[0] == 1234
        assert arm.registers("Goal_Position")[1] != 1234

    def test_no_part_of_the_hand_is_sent_below_the_table(self, arm, config):
        robot = robots.build(replace(config, table_height_m=0.0))
        robot.connect()
        applied, said = self.live(arm, robot, [0, 80, 20, 60, 0, 50], 90)
        lowest = [robot._gate._table._lowest(action.astype(float)) for action in applied]
        assert min(lowest) > -0.002
        assert any("below the table" in sentence for sentence in said)
        robot.disconnect()


class TestRest:
    def test_it_folds_before_it_is_let_go(self, arm, config):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -40.0, "elbow_flex": 30.0}))
        robot.connect()
        began = arm.clock.time
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        np.testing.assert_allclose(np.degrees(arm.position[[1, 2]]), [-40, 30], atol=6)
        assert arm.clock.time - began > 1.5, "gently"

    def test_a_joint_that_is_held_back_is_not_forced(self, arm, config, monkeypatch):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -60.0}))
        robot.connect()
        live = arm.rest

        def stuck(seconds):
            live(seconds)
            arm.position[1] = arm.velocity[1] = 0.0

        monkeypatch.setattr(arm.clock, "_live", stuck)
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert arm.clock.time < 2

    def test_a_second_ctrl_c_lets_go_at_once(self, arm, config, monkeypatch):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -60.0}))
        robot.connect()

        def interrupt(seconds):
            raise KeyboardInterrupt

        monkeypatch.setattr(arm.clock, "_live", interrupt)
        with pytest.raises(KeyboardInterrupt):
            robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert not arm.line.is_open

    def test_however_hurried_somebody_is_no_motor_stays_stiff(self, arm, robot, monkeypatch):
        let_go, calls = arm_module.Arm._let_go, []

        def interrupted(self, motor):
            calls.append(motor)
            if len(calls) == 3:
                raise KeyboardInterrupt
            let_go(self, motor)

        monkeypatch.setattr(arm_module.Arm, "_let_go", interrupted)
        with pytest.raises(KeyboardInterrupt):
            robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_it_is_never_sent_beyond_its_range(self, arm, robot):
        assert robot.arm.rest_ticks({"shoulder_lift": -400.0, "gripper": 400.0}) == {
            "shoulder_lift": pytest.approx(LOW, abs=1),
            "gripper": pytest.approx(HIGH, abs=1),
        }

    def test_an_arm_in_trouble_is_not_moved(self, arm, config):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -60.0}))
        robot.connect()
        for servo in arm.servos:
            servo.drive.temperature_c = 66.0
        robot.observe()
        began = arm.clock.time
        robot.disconnect()
        assert arm.clock.time == began
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_an_arm_that_could_not_be_connected_is_let_go_where_it_is(self, arm, config, monkeypatch):
        def fail(arm):
            arm.bus.sync_write("Torque_Enable", dict.fromkeys(MOTORS, 1))
            raise DeviceError("no")

        monkeypatch.setattr(arm_module.Arm, "hold", fail)
        with pytest.raises(DeviceError, match="no"):
            robots.build(replace(config, rest_pose={"shoulder_lift": -60.0})).connect()
        assert arm.clock.time < 0.1
        assert arm.registers("Torque_Enable") == [0] * 6
