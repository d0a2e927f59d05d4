import errno

import pytest

from etude.cli.main import COMMANDS


def test_help_lists_every_command_with_what_it_does(etude):
    code, out, _ = etude("--help")
    assert code == 0
    for name, line in COMMANDS.items():
        assert name in out
        assert line in out
    assert max(map(len, out.splitlines())) < 120


def test_no_words_at_all_get_the_help(etude):
    assert etude()[:2] == etude("--help")[:2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["recrod"], "No command named 'recrod'. Did you mean 'record'?"),
        (["dataset", "chekc"], "No command named 'dataset chekc'. Did you mean 'dataset check'?"),
    ],
)
def test_a_mistyped_command_is_answered_with_the_nearest(etude, words, sentence):
    code, _, err = etude(*words)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_a_groups_name_alone_lists_its_commands(etude):
    code, out, _ = etude("dataset")
    assert code == 0
    assert "dataset info" in out
    assert "record" not in out.replace("recorded", "")


def test_the_version(etude):
    from etude import __version__

    assert etude("--version")[1].strip() == __version__


@pytest.mark.parametrize(("number", "told"), [(errno.EACCES, "no permission"), (errno.ENOSPC, "the disk is full")])
def test_what_the_system_refuses_is_one_sentence(etude, monkeypatch, number, told):
    def refuse(*_):
        raise OSError(number, "words of the system's", "/some/place")

    monkeypatch.setattr("etude.cli.runs.run", refuse)
    code, _, err = etude("runs")
    assert (code, told in err, err.count("\n")) == (2, True, 1)
    assert err.startswith("error: /some/place: ")
