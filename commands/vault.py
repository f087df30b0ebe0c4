"""``run.py vault``: passwords by reference, typed without being shown, never in an argument."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console

from control.errors import VaultError
from control.runs import state_folder
from control.vault import SecretVault, open_vault, secret_name

app = typer.Typer(help="保险箱：保存登录密码，只用引用 / The vault: passwords, used by reference only", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="名称，在 site.toml 中写作 vault:名称 / name, written vault:NAME in site.toml")]
_console = Console()


@app.command("set")
def set_secret(name: Name) -> None:
    """保存一个密码（输入时不显示）/ Store a password, typed without being shown."""
    with _explained():
        secret_name(f"vault:{name}")
        value = typer.prompt("密码 / password", hide_input=True, confirmation_prompt="再输一次 / again")
        _vault().put(name, SecretStr(value))
    _console.print(f'已保存「{name}」，在 site.toml 中写 password = "vault:{name}" / stored')


@app.command("list")
def list_secrets() -> None:
    """列出名称，不显示密码 / List the names, no values."""
    with _explained():
        for name in _vault().names():
            _console.print(name, highlight=False)


@app.command("remove")
def remove_secret(name: Name) -> None:
    """删除一个密码 / Forget a password."""
    with _explained():
        found = _vault().remove(name)
    _console.print(f"已删除「{name}」 / removed" if found else f"没有「{name}」 / no such secret")
    raise typer.Exit(0 if found else 1)


def _vault() -> SecretVault:
    return open_vault(state_folder())


class _explained:  # noqa: N801 - reads as a statement
    """An error of the vault as a sentence and exit code 2."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, VaultError):
            Console(stderr=True).print(str(error), style="red", highlight=False)
            raise typer.Exit(2)
