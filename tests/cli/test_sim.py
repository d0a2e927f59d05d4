"""What `etude sim` makes of its options, and what it tells people to type."""

import pytest

from etude.cli import sim
from etude.core.errors import UserError
from etude.hardware import robots
from etude.sim.faults import KINDS
from etude.sim.tasks import tasks
from etude.sim.world import World


def command(tmp_path, robot="so101_follower", **options):
    task = tasks.config(options.pop("task", "pick_place"))()
    robot = robots.config(robot)(**options.pop("config", {}))
    return sim.Sim(link=tmp_path / "arm", robot=robot, task=task, **options)


@pytest.mark.parametrize(
    ("robot", "body"), [("so101_follower", "so101"), ("so100_follower", "so10"), ("koch_follower", "koch")]
)
def test_an_arm_and_its_leader(tmp_path, robot, body):
    arm, leader = sim._sockets(command(tmp_path, robot, config={"port": "sim"}, leader=True, hands=True))
    assert arm.body.startswith(body)
    assert leader.body.startswith(body)
    assert (arm.is_leader, leader.is_leader, arm.has_hands, leader.has_hands) == (False, True, True, True)
    assert (arm.link.name, leader.link.name) == ("arm", "arm-leader")
    assert leader.driver == robot.replace("follower", "leader")


def test_two_arms_and_two_leaders(tmp_path):
    sides = {f"{side}_arm_config": {"type": "koch_follower", "port": f"sim:{side}"} for side in ("left", "right")}
    sockets = sim._sockets(command(tmp_path, "bimanual", config=sides, leader=True))
    assert [socket.link.name for socket in sockets] == ["arm-left", "arm-left-leader", "arm-right", "arm-right-leader"]
    assert [socket.name for socket in sockets] == ["left", "left", "right", "right"]


def test_what_to_type_is_told(tmp_path, capsys):
    one = command(tmp_path, config={"port": "sim"}, leader=True)
    sim._announce(one, sim._sockets(one), {"front": "http://127.0.0.1:9/front.mjpg"})
    told = capsys.readouterr().out
    assert f"port: {tmp_path}/arm\nleader: {tmp_path}/arm-leader\ncamera front: http://127.0.0.1:9/front.mjpg" in told
    words = f"--robot.type=so101_follower --robot.port={tmp_path}/arm"
    leading = f"--teleop.type=so101_leader --teleop.port={tmp_path}/arm-leader"
    assert f"teleoperate with: etude teleoperate {words} {leading}" in told
    assert "--robot.cameras=\"{front: {type: mjpeg, url: 'http://127.0.0.1:9/front.mjpg'}}\"" in told


def test_of_two_arms_each_has_its_cameras(tmp_path, capsys):
    sides = {f"{side}_arm_config": {"type": "so101_follower", "port": f"sim:{side}"} for side in ("left", "right")}
    two = command(tmp_path, "bimanual", config=sides)
    sim._announce(two, sim._sockets(two), {"front": "http://a", "right_wrist": "http://b"})
    told = capsys.readouterr().out
    port = f"{{type: so101_follower, port: {tmp_path}/arm-"
    assert f"--robot.left_arm_config=\"{port}left, cameras: {{front: {{type: mjpeg, url: 'http://a'}}}}}}\"" in told
    assert f"--robot.right_arm_config=\"{port}right, cameras: {{wrist: {{type: mjpeg, url: 'http://b'}}}}}}\"" in told


def test_what_cannot_be_simulated_is_said(tmp_path):
    with pytest.raises(UserError, match=r"--robot\.type=fake cannot be simulated; .*so101_follower and bimanual can"):
        sim._sockets(command(tmp_path, "fake"))


def test_faults_are_chosen_by_name(tmp_path):
    def chosen(words, **options):
        return sim._kinds_of_fault(command(tmp_path, config={"port": "sim"}, faults=words, **options))

    assert chosen("") == ()
    assert chosen("all") == KINDS
    assert chosen("noise, unplug") == ("noise", "unplug")
    with pytest.raises(UserError, match="does not know rain"):
        chosen("rain,noise")
    with pytest.raises(UserError, match="fault_every_s should be positive"):
        chosen("all", fault_every_s=0.0)


def test_the_table_is_set_for_the_task_that_was_chosen(tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr("etude.sim.server.serve", lambda *_, **__: served.append(World().task.objects))
    sim.run(command(tmp_path))
    sim.run(command(tmp_path, task="stack"))
    assert served[0] == ("block",)
    assert len(served[1]) == 2
