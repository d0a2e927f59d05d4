import pytest

from etude.core.errors import NotFound
from etude.hardware import bodies


@pytest.mark.parametrize("name", bodies.names())
def test_a_body_is_found_by_its_name(name):
    body = bodies.body(name)
    assert body.name == name
    assert len(body.joints) == len(body.links)
    assert any(site.name == "gripperframe" for site in body.sites)


def test_an_unknown_body_is_told_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'so101'"):
        bodies.body("so11")
