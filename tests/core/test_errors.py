import inspect

from etude.core import errors


def test_the_tree_at_the_top_of_the_file_is_the_tree():
    lines = [line for line in errors.__doc__.splitlines() if "exit code" in line or "──" in line]
    drawn = [line.split("──")[-1].split()[0] for line in lines]
    defined = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)]
    assert sorted(drawn) == sorted(defined)


def test_a_users_mistake_exits_with_2_and_a_failure_with_1():
    assert errors.NotFound("policy", "x", []).exit_code == 2
    assert errors.SpecMismatch("a", "b", "c").exit_code == 2
    assert errors.DatasetError("a", "b").exit_code == 1
    assert errors.MotorSilent("gripper", 6, "/dev/ttyACM0").exit_code == 1


def test_a_silent_motor_is_named_with_those_that_answer():
    text = str(errors.MotorSilent("gripper", 6, "/dev/ttyACM0", heard=[1, 2]))
    assert text.startswith("Motor 'gripper' (id 6) on /dev/ttyACM0 does not answer. Motors that do answer: 1, 2.")


def test_a_wrong_name_far_from_every_other_gets_no_guess():
    assert str(errors.NotFound("robot", "zzz", ["a", "b"])) == "No robot named 'zzz'. Known: a, b."
