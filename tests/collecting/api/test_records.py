"""What tells one sample from another, and what a request can cost at most."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aurify.collecting.api import ApiRequest, Price, Usage, price_of


def request(text: str = "x", **fields: object) -> ApiRequest:
    return ApiRequest("chat/completions", {"model": "m", "messages": [{"role": "user", "content": text}], **fields}, 10)


def test_a_sample_is_named_by_the_whole_request() -> None:
    names = {
        request().key("s", 0, 0), request().key("t", 0, 0), request().key("s", 1, 0), request().key("s", 0, 1),
        request("y").key("s", 0, 0), request(temperature=0.5).key("s", 0, 0), request(model="n").key("s", 0, 0),
        ApiRequest("completions", request().body, 10).key("s", 0, 0),
    }  # fmt: skip
    assert len(names) == 8
    assert request(a=1, b=2).key("s", 0, 0) == request(b=2, a=1).key("s", 0, 0)


@given(st.text(), st.integers(1, 100))
def test_no_byte_level_tokenizer_passes_the_bound(text: str, n: int) -> None:
    bound = request(text).bound(n)
    assert bound.prompt > len(text.encode("utf-8", "surrogatepass"))
    assert bound.completion == 10 * n


def test_fields_that_may_be_put_into_the_prompt_count() -> None:
    tools = [{"type": "function", "function": {"name": "add", "description": "x" * 500}}]
    assert request(tools=tools).bound(1).prompt > request().bound(1).prompt + 500
    assert request(temperature=0.5, stop=["\n"]).bound(1) == request().bound(1)


def test_prices_go_by_the_million_and_dated_names_are_known() -> None:
    assert Price(2.0, 8.0).of(Usage(1_000_000, 500_000)) == 6.0
    assert price_of("gpt-4o-2024-08-06") == price_of("gpt-4o") != price_of("gpt-4o-mini")
    assert price_of("gpt-4-0613") == price_of("gpt-4")
    assert price_of("my-model") is None


def test_an_older_dated_version_that_costs_more_has_its_own_price() -> None:
    assert price_of("gpt-4o-2024-05-13") == Price(5.0, 15.0)
    assert price_of("gpt-3.5-turbo-0613") == price_of("gpt-3.5-turbo-0301") == Price(1.5, 2.0)
    assert price_of("gpt-3.5-turbo-1106") == Price(1.0, 2.0)
    assert price_of("gpt-3.5-turbo-0125") == price_of("gpt-3.5-turbo")
