"""Messages to people: at most 70 characters whatever a customer is called, the order number always in them, nothing personal in
what the journal shows. Settings: a password is only ever a reference."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bots.reconnect.messages import LONGEST, compose, fit, masked
from bots.reconnect.settings import Account, ReconnectSettings

ORDER, CUSTOMER = "3201202611230001", "3301234567"
CREW, PHONE, MANAGER = "13700001111", "13812345678", "13987654321"

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
NAMES = st.text(HAN, min_size=2, max_size=40)
ADDRESSES = st.text(HAN | st.sampled_from("0123456789-（）号幢室 {}%"), min_size=0, max_size=120)
AREAS = st.text(HAN | st.sampled_from("0123456789#"), min_size=1, max_size=60)


def details(**more: str) -> dict[str, str]:
    known = {"name": "张建国", "address": "城东街道幸福路 18 号", "area": "城东村1号公变"}
    return {**known, "crew_phone": CREW, "phone": PHONE, "manager_phone": MANAGER, **more}


@given(NAMES, ADDRESSES, AREAS, st.booleans(), st.integers(1, 10))
def test_every_message_fits_and_names_its_order_and_customer(
    name: str, address: str, area: str, failed: bool, tries: int
) -> None:
    for message in compose(
        ReconnectSettings(), ORDER, CUSTOMER, tries, details(name=name, address=address, area=area), failed=failed
    ):
        assert len(message.text) <= LONGEST == 70
        assert ORDER in message.text and CUSTOMER in message.text
        assert not failed or f"{tries}次" in message.text


@given(NAMES, ADDRESSES, st.booleans())
def test_what_the_journal_shows_holds_no_name_address_or_phone(name: str, address: str, failed: bool) -> None:
    assume(not any(name[:2] in settled for settled in (details()["area"], *_templates())))
    for message in compose(ReconnectSettings(), ORDER, CUSTOMER, 3, details(name=name, address=address), failed=failed):
        shown = masked(message)
        assert name not in shown["content"] and (len(address) < 4 or address[:60] not in shown["content"])
        for phone in (CREW, PHONE, MANAGER):
            assert phone not in shown["content"] and phone not in shown["phone"]
        assert shown["phone"].startswith(message.phone[:3]) and shown["phone"].endswith(message.phone[-4:])
        assert ORDER in shown["content"], "the order is what a clerk looks for"


def _templates() -> tuple[str, str, str]:
    rules = ReconnectSettings()
    return rules.sms_crew, rules.sms_customer, rules.sms_manager


def test_a_phone_that_a_template_puts_into_the_text_is_masked_in_the_journal() -> None:
    rules = ReconnectSettings(sms_crew="户号{customer}，客户{name}，电话{phone}，工单{order}")
    (message,) = compose(rules, ORDER, CUSTOMER, 3, details(), failed=True)
    assert PHONE in message.text and "张建国" in message.text
    assert PHONE not in message.shown and "张建国" not in message.shown


def test_the_crew_is_told_of_a_failure_customer_and_manager_of_a_false_reconnect() -> None:
    (crew,) = compose(ReconnectSettings(), ORDER, CUSTOMER, 3, details(), failed=True)
    assert (crew.name, crew.phone) == ("sms:crew", CREW) and "3次失败" in crew.text and "幸福路" in crew.text
    both = compose(ReconnectSettings(), ORDER, CUSTOMER, 1, details(), failed=False)
    assert [(m.name, m.phone) for m in both] == [("sms:customer", PHONE), ("sms:manager", MANAGER)]
    assert "假复电" in both[1].text and "假复电" not in both[0].text


def test_the_address_gives_way_before_the_name_and_the_order_never_does() -> None:
    values = {"address": "很" * 50, "name": "张建国", "order": ORDER}
    said = fit("{name}住{address}，工单{order}", values)
    assert len(said) == 70 and "张建国" in said and said.endswith(ORDER)


def test_a_template_that_can_never_fit_is_refused_with_its_words() -> None:
    with pytest.raises(ValueError, match="70"):
        fit("复" * 60 + "{order}", {"order": ORDER})


@pytest.mark.parametrize("password", ["fkzb@2026", "", "VAULT:x", "my vault:x"])
def test_a_password_in_clear_is_refused_and_not_repeated_in_the_error(password: str) -> None:
    with pytest.raises(ValidationError) as error:
        ReconnectSettings.model_validate({"operator": {"user": "fkzb01", "password": password}})
    assert "operator.password" in str(error.value)
    assert not password or password not in str(error.value)
    assert Account(user="a", password="vault:x").password == "vault:x"


@pytest.mark.parametrize("wrong", [{"tries": 0}, {"tries": 99}, {"result_timeout": 0}, {"retries": 3}, {"zero_below": -1}])
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ReconnectSettings.model_validate(wrong)
