from pathlib import Path

import pytest

from etude.data.remote.address import Address, hub_name, parse


@pytest.mark.parametrize(
    ("root", "url"),
    [
        ("https://host/a/b", "https://host/a/b"),
        ("https://host/a/b/", "https://host/a/b"),
        (Path("https://host/a"), "https://host/a"),
        ("s3://bucket/a", "s3://bucket/a"),
        ("file:///data/a", "file:///data/a"),
    ],
)
def test_urls_are_told_from_folders(root, url):
    assert parse(root) == Address(url=url)


@pytest.mark.parametrize("root", ["/data/a", "a/b", "C:/a", "./a", "a", "", "a:b"])
def test_folders_are_no_urls(root):
    assert parse(root) is None


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("user/name", Address(repo_id="user/name")),
        ("user/na.me-1@v3.0", Address(repo_id="user/na.me-1", revision="v3.0")),
        ("user/name@refs/pr/1", Address(repo_id="user/name", revision="refs/pr/1")),
        ("a/b/c", None),
        ("name", None),
        ("../name", None),
        ("/user/name", None),
        ("user/name with spaces", None),
    ],
)
def test_names_on_the_hub(name, address):
    assert hub_name(name) == address


def test_passwords_are_not_told():
    address = parse("https://me:secret@host/a")
    assert str(address) == "https://host/a"
    assert "secret" not in address.folder


def test_every_address_has_a_folder_of_its_own():
    names = ["https://host/a", "https://host/b", "http://host/a", "hf://host/a", "hf://host/a@main"]
    folders = {parse(name).folder for name in names}
    assert len(folders) == len(names)
    assert not any("/" in folder or folder.startswith(".") for folder in folders)
