"""What can be wrong with the ledger's database, in words for people."""

from __future__ import annotations

from pathlib import Path

from control import ledger_tables as tables
from control.errors import Explanation, LedgerError


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            Explanation(
                f"无法创建账本目录 {folder}({error.strerror})", "没有写权限或磁盘已满", "检查目录权限和剩余空间后重新启动"
            ),
            Explanation(
                f"The ledger's folder {folder} cannot be made ({error.strerror})",
                "no permission to write, or a full disk",
                "check permissions and free space, then start again",
            ),
        ) from error


def newer(url: str, version: int) -> LedgerError:
    return LedgerError(
        Explanation(
            f"账本 {url} 的版本是 {version},本程序只认识 {tables.SCHEMA}", "账本由更新版本的程序写成", "升级本程序后再运行"
        ),
        Explanation(
            f"The ledger {url} has schema {version}, this program knows {tables.SCHEMA}",
            "a newer program wrote it",
            "upgrade this program",
        ),
    )


def explain(url: str, error: Exception) -> LedgerError:
    """The database's words in words for people. Nothing was written: the transaction is gone."""
    said = str(getattr(error, "orig", error))
    name = url.removeprefix("sqlite:///")
    low = said.lower()
    if "locked" in low or "busy" in low:
        zh = Explanation(
            f"账本 {name} 被占用超过 {tables.BUSY_SECONDS:.0f} 秒",
            "另一个程序正在写账本或备份软件锁住了文件",
            "关闭占用该文件的程序后重新启动；已记录的内容没有丢失",
        )
        en = Explanation(
            f"The ledger {name} was locked for more than {tables.BUSY_SECONDS:.0f} s",
            "another program writes to it, or a backup holds the file",
            "close that program and start again; nothing recorded is lost",
        )
    elif "full" in low or "disk i/o" in low or "no space" in low:
        zh = Explanation(
            f"账本 {name} 写不进去（{said}）", "磁盘已满或磁盘故障", "腾出磁盘空间后重新启动；未写入账本的操作没有执行"
        )
        en = Explanation(
            f"The ledger {name} cannot be written ({said})",
            "the disk is full or failing",
            "free some space and start again; an act that was not written down was not done",
        )
    elif "malformed" in low or "not a database" in low or "corrupt" in low:
        zh = Explanation(
            f"账本 {name} 已损坏（{said}）",
            "文件被其他程序改写或断电损坏",
            "不要删除：把文件另存一份，从备份恢复；在人工核对之前不要运行机器人，以免重复复电",
        )
        en = Explanation(
            f"The ledger {name} is damaged ({said})",
            "another program wrote to it, or the power failed",
            "do not delete it: keep a copy, restore the backup, and run no robot before a person has checked it",
        )
    elif "unable to open" in low or "readonly" in low or "permission" in low:
        zh = Explanation(f"账本 {name} 打不开（{said}）", "路径不存在、没有写权限或文件只读", "检查 site.toml 中的路径和文件权限")
        en = Explanation(
            f"The ledger {name} cannot be opened ({said})",
            "no such path, no permission, or a read-only file",
            "check the path in site.toml and the permissions",
        )
    else:
        zh = Explanation(f"账本 {name} 出错（{said}）", "数据库不可用", "检查数据库后重新启动；已记录的内容没有丢失")
        en = Explanation(
            f"The ledger {name} failed ({said})",
            "the database is not available",
            "check it and start again; nothing recorded is lost",
        )
    return LedgerError(zh, en)
