"""What can be wrong with a durable run, in words for people."""

from __future__ import annotations

from typing import Any

from control.errors import EngineError, Explanation


def engine_failed(run_id: str, error: Any) -> EngineError:
    """The engine holds an error as the run's final outcome."""
    return EngineError(
        Explanation(
            f"运行 {run_id} 已以错误结束（{error}）",
            "引擎数据被改动，或程序版本不一致",
            "用新的运行编号重新开始；账本保证不会重复操作",
        ),
        Explanation(
            f"Run {run_id} ended with an error ({error})",
            "the engine's data was changed, or another version of the program wrote it",
            "start a new run; the ledger keeps acts from being done twice",
        ),
    )


def too_often(run_id: str, times: int) -> EngineError:
    """The run was interrupted more often than it is resumed by itself."""
    return EngineError(
        Explanation(
            f"运行 {run_id} 被中断超过 {times} 次，不再自动恢复",
            "同一步骤每次都使程序退出",
            "查看报告中最后一步；排除原因后用「坚持恢复」选项恢复",
        ),
        Explanation(
            f"Run {run_id} was interrupted more than {times} times and is not resumed by itself",
            "the same step ends the program every time",
            "look at the last step in the report; when the cause is gone, resume with insist",
        ),
    )


def changed_flow(run_id: str, label: str, error: Exception) -> EngineError:
    """The flow took another way from stage to stage than before the interruption."""
    return EngineError(
        Explanation(
            f"恢复运行 {run_id} 时，步骤「{label}」与中断前不同（{error}）",
            "流程程序在中断后被更改，或流程的走向取决于未记录的内容",
            "用新的运行编号重新开始；账本保证不会重复操作",
        ),
        Explanation(
            f"Run {run_id} came to stage {label!r}, which is not where it was before ({error})",
            "the flow was changed meanwhile, or its way depends on something that no stage returned",
            "start a new run; the ledger keeps acts from being done twice",
        ),
    )


def not_json(name: str, key: str, error: Exception) -> EngineError:
    """A stage returned something that cannot be kept."""
    return EngineError(
        Explanation(f"步骤「{name}:{key}」的结果无法保存（{error}）", "结果不是可写成 JSON 的字典", "请开发人员修正该流程"),
        Explanation(
            f"The result of stage {name}:{key} cannot be kept ({error})", "it is not a dict of JSON values", "correct the flow"
        ),
    )
