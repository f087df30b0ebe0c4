"""The messages of robot 1: to whom, what, at most 70 characters, and how the journal may show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bots.reconnect.settings import ReconnectSettings
from recordings.masking import mask_name, mask_phone, mask_text

LONGEST = 70
"""Characters of one message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person."""

    name: str
    """Of the act in the ledger: ``sms:crew``, ``sms:customer``, ``sms:manager``."""
    phone: str
    text: str
    shown: str
    """The text with personal data masked."""
    to_zh: str
    to_en: str


def compose(
    settings: ReconnectSettings, order: str, customer: str, tries: int, details: Mapping[str, str], *, failed: bool
) -> list[Message]:
    """The messages that an order needs: to the field crew when it failed, else to customer and manager (假复电)."""

    def make(name: str, phone: str, template: str, zh: str, en: str) -> Message:
        values = {**details, "order": order, "customer": customer, "tries": str(tries)}
        hidden = {**values, "name": mask_name(details["name"]), "address": "***"}
        return Message(name, phone, fit(template, values), mask_text(fit(template, hidden)), zh, en)

    if failed:
        return [make("sms:crew", details["crew_phone"], settings.sms_crew, "抢修班组", "field crew")]
    return [
        make("sms:customer", details["phone"], settings.sms_customer, "客户", "customer"),
        make("sms:manager", details["manager_phone"], settings.sms_manager, "台区责任人", "manager of the transformer area"),
    ]


def fit(template: str, values: Mapping[str, str]) -> str:
    """The template filled in; the address, then the name give way until it fits. Raises ValueError when it cannot."""
    filled = dict(values)
    while True:
        text = template.format(**filled)
        if len(text) <= LONGEST:
            return text
        # The order number at the end is what a crash is looked for by, so other parts are shortened.
        for part in ("address", "name", "area"):
            if len(filled.get(part, "")) > 1 and "{" + part + "}" in template:
                filled[part] = filled[part][:-1]
                break
        else:
            raise ValueError(f"短信模板超过 {LONGEST} 字，无法缩短：{template} / the template cannot be shortened to {LONGEST}")


def masked(message: Message) -> dict[str, str]:
    """What the journal may say of a message."""
    return {"phone": mask_phone(message.phone), "content": message.shown}
