import threading

import pytest

from etude.rollout.meeting import Meeting


def test_everybody_is_asked_at_once_and_in_order():
    heard, said = [], []

    def answer(questions):
        heard.append(list(questions))
        return [question and question * 10 for question in questions]

    meeting = Meeting(answer)

    def work(name, count):
        def ask():
            said.extend((name, meeting.ask(number)) for number in range(1, count + 1))

        return ask

    meeting.run([work("a", 1), work("b", 3), work("c", 2)])
    assert heard == [[1, 1, 1], [None, 2, 2], [None, 3, None]]
    assert said == [("a", 10), ("b", 10), ("c", 10), ("b", 20), ("c", 20), ("b", 30)]


def test_only_one_works_at_a_time():
    working, most = [], []
    meeting = Meeting(lambda questions: questions)

    def work():
        for _ in range(20):
            working.append(1)
            most.append(len(working))
            working.pop()
            meeting.ask(0)

    meeting.run([work] * 4)
    assert set(most) == {1}
    assert len(most) == 80


def test_what_one_raises_ends_all_and_each_cleans_up():
    cleaned = []
    meeting = Meeting(lambda questions: questions)

    def work(name):
        def ask():
            try:
                meeting.ask(name)
                if name == "b":
                    raise ValueError("no more")
                meeting.ask(name)
            finally:
                cleaned.append(name)

        return ask

    before = threading.active_count()
    with pytest.raises(ValueError, match="no more"):
        meeting.run([work("a"), work("b"), work("c")])
    assert sorted(cleaned) == ["a", "b", "c"]
    assert threading.active_count() == before


def test_what_the_answer_raises_ends_all():
    def answer(questions):
        raise KeyboardInterrupt

    meeting = Meeting(answer)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        meeting.run([lambda: meeting.ask(1)] * 2)
    assert threading.active_count() == before


def test_work_without_questions_is_just_done():
    done = []
    Meeting(lambda questions: questions).run([lambda: done.append(1), lambda: done.append(2)])
    assert done == [1, 2]
