"""Secrets by reference: ``vault:name``.

Kept in the system's keyring where there is one, else in an encrypted file: Fernet under a key that scrypt derives from a
passphrase in ``ZHISHOU_VAULT_PASSPHRASE`` or from a key file that only its owner can read. ``ZHISHOU_SECRET_<NAME>`` goes
before both, for tests and containers. A secret is never in an argument, a log or a repr.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import SecretStr

from control.errors import Explanation, VaultError

SERVICE = "zhishou"
PASSPHRASE_VARIABLE = "ZHISHOU_VAULT_PASSPHRASE"
SCHEMA = 1
SCRYPT_COST = 1 << 15
"""scrypt n with r=8, p=1: 32 MB and some 80 ms per try; once per run."""


class Store(Protocol):
    """Where secrets lie."""

    def get(self, name: str) -> SecretStr | None: ...

    def put(self, name: str, value: SecretStr) -> None: ...

    def remove(self, name: str) -> bool: ...

    def names(self) -> list[str]: ...


class EncryptedFile:
    """:class:`Store` in one encrypted file beside its key file, both 0600. With a passphrase there is no key file."""

    def __init__(self, file: Path, passphrase: SecretStr | None = None) -> None:
        self._file, self._key_file = file, file.with_suffix(".key")
        self._passphrase = passphrase
        self._fernet: tuple[bytes, Fernet] | None = None

    def get(self, name: str) -> SecretStr | None:
        value = self._load().get(name)
        return SecretStr(value) if value is not None else None

    def put(self, name: str, value: SecretStr) -> None:
        self._save({**self._load(), name: value.get_secret_value()})

    def remove(self, name: str) -> bool:
        known = self._load()
        if name not in known:
            return False
        del known[name]
        self._save(known)
        return True

    def names(self) -> list[str]:
        return sorted(self._load())

    def _load(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        try:
            box = json.loads(self._file.read_text(encoding="utf-8"))
            salt = base64.b64decode(box["salt"])
            plain = self._cipher(salt).decrypt(box["data"].encode())
            return {str(k): str(v) for k, v in json.loads(plain).items()}
        except VaultError:
            raise
        except (InvalidToken, ValueError, KeyError, TypeError) as error:
            raise _sealed(self._file, type(error).__name__) from None
        except OSError as error:
            raise _sealed(self._file, str(error.strerror)) from None

    def _save(self, values: dict[str, str]) -> None:
        salt = self._fernet[0] if self._fernet else secrets.token_bytes(16)
        data = self._cipher(salt).encrypt(json.dumps(values).encode()).decode()
        write_private(self._file, json.dumps({"schema": SCHEMA, "salt": base64.b64encode(salt).decode(), "data": data}).encode())

    def _cipher(self, salt: bytes) -> Fernet:
        if self._fernet is None or self._fernet[0] != salt:
            kdf = Scrypt(salt=salt, length=32, n=SCRYPT_COST, r=8, p=1)
            self._fernet = (salt, Fernet(base64.urlsafe_b64encode(kdf.derive(self._key()))))
        return self._fernet[1]

    def _key(self) -> bytes:
        if self._passphrase is not None:
            return self._passphrase.get_secret_value().encode()
        if not self._key_file.exists():
            write_private(self._key_file, secrets.token_bytes(32))
        elif os.name == "posix" and self._key_file.stat().st_mode & 0o077:
            raise _open_to_others(self._key_file)
        return self._key_file.read_bytes()


class Keyring:
    """:class:`Store` in the system's keyring; the names are kept there too, for keyrings cannot list."""

    _LIST = "__names__"

    def __init__(self) -> None:
        import keyring

        self._keyring: Any = keyring

    @staticmethod
    def usable() -> bool:
        """Whether the system has a keyring that keeps what it is given."""
        import keyring
        from keyring.backends import fail, null

        return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring) and keyring.get_keyring().priority >= 1

    def get(self, name: str) -> SecretStr | None:
        value = self._keyring.get_password(SERVICE, name)
        return SecretStr(value) if value is not None else None

    def put(self, name: str, value: SecretStr) -> None:
        self._keyring.set_password(SERVICE, name, value.get_secret_value())
        self._keyring.set_password(SERVICE, self._LIST, json.dumps(sorted({*self.names(), name})))

    def remove(self, name: str) -> bool:
        if name not in self.names():
            return False
        self._keyring.delete_password(SERVICE, name)
        self._keyring.set_password(SERVICE, self._LIST, json.dumps([n for n in self.names() if n != name]))
        return True

    def names(self) -> list[str]:
        return list(json.loads(self._keyring.get_password(SERVICE, self._LIST) or "[]"))


class SecretVault:
    """Implements :class:`bots.ports.Vault` on a store, with the environment before it."""

    def __init__(self, store: Store, environment: Mapping[str, str] | None = None) -> None:
        self._store = store
        self._environment = os.environ if environment is None else environment

    def secret(self, reference: str) -> str:
        """See :meth:`bots.ports.Vault.secret`. Raises :class:`VaultError` (a KeyError)."""
        name = secret_name(reference)
        given = self._environment.get(variable(name))
        if given is not None:
            return given
        found = self._store.get(name)
        if found is None:
            raise _missing(name)
        return found.get_secret_value()

    def put(self, name: str, value: SecretStr) -> None:
        """Keep a secret under ``name``."""
        self._store.put(secret_name(f"vault:{name}"), value)

    def remove(self, name: str) -> bool:
        """Forget a secret; False where there was none."""
        return self._store.remove(name)

    def names(self) -> list[str]:
        """Names of all secrets, no values."""
        return self._store.names()

    def __repr__(self) -> str:
        return f"SecretVault({type(self._store).__name__})"


def open_vault(state: Path, environment: Mapping[str, str] | None = None) -> SecretVault:
    """The vault of this machine: a file if there is one or a passphrase is set, else the keyring if usable, else a file."""
    environment = os.environ if environment is None else environment
    passphrase = environment.get(PASSPHRASE_VARIABLE)
    file = state / "vault.json"
    if passphrase or file.exists() or not Keyring.usable():
        return SecretVault(EncryptedFile(file, SecretStr(passphrase) if passphrase else None), environment)
    return SecretVault(Keyring(), environment)


def secret_name(reference: str) -> str:
    """``vault:marketing-main`` → ``marketing-main``. Raises VaultError for anything else, without repeating it: it might be a
    password that somebody wrote there."""
    found = re.fullmatch(r"vault:([A-Za-z0-9][A-Za-z0-9_.\-]{0,63})", reference)
    if not found:
        raise VaultError(
            Explanation(
                "密钥引用的写法不对", "引用应为 vault:名称（字母、数字、-、_、.）", "在 site.toml 中写 vault:名称，不要写密码本身"
            ),
            Explanation(
                "This is not a reference to a secret",
                "a reference is vault:name (letters, digits, -, _, .)",
                "write vault:name in site.toml, never the password itself",
            ),
        )
    return found.group(1)


def variable(name: str) -> str:
    """The environment variable that stands for a secret: ``ZHISHOU_SECRET_MARKETING_MAIN``."""
    return "ZHISHOU_SECRET_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def write_private(file: Path, data: bytes) -> None:
    """Replace a file at once by one that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(file)


def _missing(name: str) -> VaultError:
    return VaultError(
        Explanation(f"保险箱中没有「{name}」", "还没有保存这个密码，或名称写错", f"运行 python run.py vault set {name} 保存它"),
        Explanation(
            f"The vault has no secret {name!r}",
            "it was not stored yet, or the name is misspelt",
            f"store it with: python run.py vault set {name}",
        ),
    )


def _sealed(file: Path, what: str) -> VaultError:
    return VaultError(
        Explanation(
            f"保险箱 {file} 打不开（{what}）",
            f"密钥文件或 {PASSPHRASE_VARIABLE} 与保存时不同，或文件已损坏",
            "恢复原来的密钥文件或口令；否则把该文件另存后重新保存各密码",
        ),
        Explanation(
            f"The vault {file} does not open ({what})",
            f"another key file or {PASSPHRASE_VARIABLE} than when it was stored, or damage",
            "bring back the key or passphrase; else move the file away and store the passwords again",
        ),
    )


def _open_to_others(file: Path) -> VaultError:
    return VaultError(
        Explanation(f"密钥文件 {file} 可被其他用户读取", "文件权限被改动", f"运行 chmod 600 {file}，并考虑更换密码"),
        Explanation(
            f"The key file {file} can be read by others",
            "its permissions were changed",
            f"run chmod 600 {file} and consider new passwords",
        ),
    )
