import pytest

from etude.cli.main import main


@pytest.fixture
def etude(capfd):
    """Run one command in this process; gives its exit code, output and errors."""

    def call(*words):
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        out, err = capfd.readouterr()
        return code, out, err

    return call
