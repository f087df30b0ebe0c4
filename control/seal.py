"""Sealing: what must be kept over a restart but not be readable on a disk (phone numbers, names, addresses)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from control.errors import Explanation, VaultError
from control.vault import SecretVault

KEY = "ledger-seal"
"""Name of the key in the vault; made when first needed."""


class VaultSealer:
    """Encrypts small dicts of strings with a key that only the vault holds (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, vault: SecretVault) -> None:
        if KEY not in vault.names():
            vault.put(KEY, SecretStr(Fernet.generate_key().decode()))
        self._fernet = Fernet(vault.secret(f"vault:{KEY}").encode())

    def seal(self, value: Mapping[str, str]) -> str:
        """A token that says nothing without the key."""
        return self._fernet.encrypt(json.dumps(dict(value), ensure_ascii=False).encode()).decode()

    def unseal(self, token: str) -> dict[str, str]:
        """What was sealed. Raises VaultError when the key is another one."""
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(token.encode()))
        except InvalidToken as error:
            raise _lost() from error
        return opened

    def __repr__(self) -> str:
        return "VaultSealer(…)"


def _lost() -> VaultError:
    return VaultError(
        Explanation(
            "台账里加密的联系资料打不开",
            "保险箱里的密钥与写入时不同",
            "恢复原来的保险箱文件；不能恢复时由人工通知这些工单的联系人",
        ),
        Explanation(
            "The sealed contacts in the ledger do not open",
            "the key in the vault is not the one they were sealed with",
            "bring back the old vault file; else let a person tell the contacts of these orders",
        ),
    )
