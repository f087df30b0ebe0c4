"""Secrets: what lies on the disk tells nothing, only the owner can open it, and nothing shows a value."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from commands.vault import app
from control.errors import VaultError
from control.vault import EncryptedFile, SecretVault, open_vault, variable

VALUE = "Pa55-word!密码"


def file_vault(folder: Path, **environment: str) -> SecretVault:
    return SecretVault(EncryptedFile(folder / "vault.json"), environment)


def test_a_secret_comes_back_and_the_disk_does_not_tell_it(tmp_path: Path) -> None:
    file_vault(tmp_path).put("marketing-main", SecretStr(VALUE))
    again = file_vault(tmp_path)
    assert again.secret("vault:marketing-main") == VALUE and again.names() == ["marketing-main"]
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and VALUE.encode() not in file.read_bytes()
        assert b"marketing-main" not in file.read_bytes()
    assert VALUE not in repr(again)
    assert again.remove("marketing-main") and not again.remove("marketing-main")


def test_the_environment_goes_first(tmp_path: Path) -> None:
    vault = file_vault(tmp_path, ZHISHOU_SECRET_MARKETING_MAIN="from-test")
    assert variable("marketing-main") == "ZHISHOU_SECRET_MARKETING_MAIN"
    assert vault.secret("vault:marketing-main") == "from-test" and list(tmp_path.iterdir()) == []


def test_a_missing_secret_says_how_to_store_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="vault set collection-main"):
        file_vault(tmp_path).secret("vault:collection-main")


def test_a_password_in_place_of_a_reference_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(VaultError) as caught:
        file_vault(tmp_path).secret(VALUE)
    assert VALUE not in str(caught.value) and "vault:" in str(caught.value)


@pytest.mark.parametrize("damage", [b"{", b"{}", b'{"salt": "AAAA", "data": "x"}', b"\xff\xfe"])
def test_a_damaged_vault_is_told_and_left_as_it_is(tmp_path: Path, damage: bytes) -> None:
    file_vault(tmp_path).put("a", SecretStr("x"))
    (tmp_path / "vault.json").write_bytes(damage)
    with pytest.raises(VaultError, match=r"vault\.json"):
        file_vault(tmp_path).put("b", SecretStr("y"))
    assert (tmp_path / "vault.json").read_bytes() == damage


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    EncryptedFile(tmp_path / "vault.json", SecretStr("right")).put("a", SecretStr(VALUE))
    with pytest.raises(VaultError):
        EncryptedFile(tmp_path / "vault.json", SecretStr("wrong")).get("a")
    found = EncryptedFile(tmp_path / "vault.json", SecretStr("right")).get("a")
    assert found is not None and found.get_secret_value() == VALUE and not (tmp_path / "vault.key").exists()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file_vault(tmp_path).put("a", SecretStr("x"))
    (tmp_path / "vault.key").chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        file_vault(tmp_path).secret("vault:a")


def test_a_person_stores_a_password_without_showing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISHOU_HOME", str(tmp_path))
    monkeypatch.setenv("ZHISHOU_VAULT_PASSPHRASE", "pass phrase of the site")
    done = CliRunner().invoke(app, ["set", "marketing-main"], input=f"{VALUE}\n{VALUE}\n")
    assert done.exit_code == 0 and VALUE not in done.output and "vault:marketing-main" in done.output
    assert open_vault(tmp_path).secret("vault:marketing-main") == VALUE
    assert "marketing-main" in CliRunner().invoke(app, ["list"]).output
    assert CliRunner().invoke(app, ["set", "not a name!"], input="x\nx\n").exit_code == 2
    assert CliRunner().invoke(app, ["remove", "marketing-main"]).exit_code == 0
    with pytest.raises(KeyError):
        open_vault(tmp_path).secret("vault:marketing-main")
