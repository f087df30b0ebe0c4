"""The rules of robot 1. Every figure here is a business rule with its default, to be changed in `site.toml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Account(BaseModel):
    """A log-in to a client."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    user: str
    password: str = Field(pattern=r"^vault:")
    """A reference, never the password itself."""


class ReconnectSettings(BaseModel):
    """`[flows.reconnect]` of `site.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    operator: Account = Account(user="fkzb01", password="vault:marketing-operator")
    """Works the orders in 营销2.0."""
    texter: Account = Account(user="dxfs01", password="vault:marketing-texter")
    """May open 自定义发送短信."""
    reader: Account = Account(user="cjdc01", password="vault:collection-reader")
    """Reads meters in 采集2.0."""

    tries: int = Field(3, ge=1, le=10)
    """Reconnects for one order before the field crew is told; the next one only after the last was seen to fail."""
    result_timeout: float = Field(90.0, gt=0)
    """Seconds that a command may run before its result counts as not seen."""
    trace_timeout: float = Field(60.0, gt=0)
    """Seconds within which a command that was sent must appear in the client's own list of commands."""
    reading_timeout: float = Field(60.0, gt=0)
    """Seconds that a meter may take to answer a pass-through reading."""
    second_reading_after: float = Field(300.0, ge=0)
    """Seconds between a reading of 0 (or none) and the second one."""
    zero_below: float = Field(0.0005, gt=0)
    """Ampere under which a current counts as 0: the meter shows three decimals."""
    item_retries: int = Field(5, ge=1, le=10)
    """How often an order is taken up again after the client failed (system exception); each time it looks first. Three were too
    few: rows that moved, «system busy» and an expired log-in met in one order."""
    page_timeout: float = Field(40.0, gt=0)
    """Seconds that a page or a query of the client may take."""
    orders_limit: int = Field(500, ge=1)
    """Orders worked in one run."""
    manual_hours: float = Field(1.5, gt=0)
    """What an order takes by hand, for the report."""

    sms_crew: str = "{area}户号{customer}复电{tries}次失败，请现场复电。{name} {address} 工单{order}"
    """To the field crew. At most 70 characters: `address` is shortened until it fits."""
    sms_customer: str = "您好，户号{customer}已缴费复电，如家中仍无电请检查开关或联系供电所。工单{order}"
    sms_manager: str = "{area}户号{customer}疑似假复电，两次透抄电流为0或无数据，请现场核实。工单{order}"
