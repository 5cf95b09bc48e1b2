"""API keys: what is stored, what is found, and what a broken file does."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from corral.errors import InvalidInput, NotFound, StoreError
from corral.keys import KeyFile, Scope

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.json"


def test_a_secret_is_found_again_and_never_written(path: Path) -> None:
    key, secret = KeyFile(path).add("laptop", [Scope.INFER, Scope.INFER])

    assert KeyFile(path).find(secret) == key
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.scopes == (Scope.INFER,)


def test_a_running_server_notices_new_and_revoked_keys(path: Path) -> None:
    server = KeyFile(path)
    before = server.keys()
    _, secret = KeyFile(path).add("laptop", [Scope.ADMIN])

    found = server.find(secret)
    KeyFile(path).revoke("laptop")

    assert before == ()
    assert found is not None
    assert server.find(secret) is None


def test_the_key_of_the_environment_may_do_everything(path: Path) -> None:
    key = KeyFile(path, secret="s3cret").find("s3cret")

    assert key is not None
    assert all(key.may(scope) for scope in Scope)


def test_a_name_is_given_once(path: Path) -> None:
    KeyFile(path).add("laptop", [Scope.READ])

    with pytest.raises(InvalidInput, match="laptop"):
        KeyFile(path).add("laptop", [Scope.READ])


def test_a_key_is_revoked_by_name_or_id(path: Path) -> None:
    key, _ = KeyFile(path).add("laptop", [Scope.READ])

    assert KeyFile(path).revoke(key.id) == key
    with pytest.raises(NotFound, match="laptop"):
        KeyFile(path).revoke("laptop")


def test_a_file_that_can_not_be_read_is_not_an_empty_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[{}]")

    with pytest.raises(StoreError, match=r"keys\.json"):
        KeyFile(path).keys()


def test_a_home_that_can_not_be_written_is_named(path: Path) -> None:
    path.parent.symlink_to("a folder that is not there")

    with pytest.raises(StoreError, match=r"keys\.json can't be written"):
        KeyFile(path).add("laptop", [Scope.INFER])
