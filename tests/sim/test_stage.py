from etude.sim.stage import chosen, staged
from etude.sim.tasks.push.config import Config as Push
from etude.sim.tasks.stack.config import Config as Stack
from etude.sim.world import World, begin_world, shared_world


def test_tables_are_set_for_pick_and_place_unless_told_otherwise():
    assert World().task.objects == ("block",)


def test_worlds_that_begin_on_a_stage_are_set_for_its_task():
    with staged(Stack()):
        assert World().task.text == Stack.text
        with staged(Push.hard()):
            assert chosen() == Push.hard()
        assert chosen() == Stack()
    assert World().task.objects == ("block",)


def test_a_config_of_its_own_counts_more():
    with staged(Stack()):
        assert World(Push()).task.text == Push.text


def test_who_comes_later_shares_the_world_begun_last():
    first = begin_world(Stack())
    second = begin_world(Push())
    assert shared_world() is second
    assert first.task.text == Stack.text
