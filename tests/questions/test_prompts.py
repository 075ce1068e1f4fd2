from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from aurify.errors import AurifyError, UsageError
from aurify.questions import PromptTemplate, Question
from aurify.questions.chat import ChatTemplate

QUESTION = Question(id="q", text="1 + 1?", answer="2", answer_type="number")
SHOTS = "Q: 0 + 1?\nA: Let's think step by step.\nOne. So the answer is 1."
CHAT = "<s>{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ '[assistant]' if add_generation_prompt }}"


def tokenizer_with(single: str) -> Any:
    """A byte-level tokenizer that frames a text as ``single`` says."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(["<s>", "</s>"])
    inner.post_processor = processors.TemplateProcessing(
        single=single, pair=f"{single} $B", special_tokens=[("<s>", 256), ("</s>", 257)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", chat_template=CHAT)


def sentencepiece(legacy: bool, template: str = CHAT) -> Any:
    """A tokenizer that begins a text with a space; a ``legacy`` one does so behind each special token as well."""
    letters = ["<unk>", *(chr(code) for code in range(33, 127)), "\n", "▁"]
    vocab = {letter: index for index, letter in enumerate([*letters, "▁▁", "▁T", "▁2"])}
    merges = [("▁", "▁"), ("▁", "T"), ("▁", "2")]
    inner = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>"))
    if legacy:
        inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        inner.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    inner.add_special_tokens(["<s>", "</s>"])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", chat_template=template)


def test_plain() -> None:
    plain = PromptTemplate.named("plain")
    assert plain.render(QUESTION) == "Question: 1 + 1?\nAnswer: Let's think step by step.\n"
    assert plain.render_hinted(QUESTION) == "Question: 1 + 1?\nAnswer: The answer is 2. Let's think step by step.\n"
    assert (plain.answer_lead, plain.stop) == ("So the answer is", ())


def test_direct() -> None:
    assert PromptTemplate.named("direct").render(QUESTION) == "Question: 1 + 1?\nAnswer:"
    assert PromptTemplate.named("direct", few_shot=SHOTS).render(QUESTION) == "Q: 0 + 1?\nA: 1\n\nQ: 1 + 1?\nA:"


def test_worked_examples_from_text_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "shots.txt").write_text(SHOTS)
    for few_shot in (SHOTS, str(tmp_path / "shots.txt")):
        template = PromptTemplate.named("plain", few_shot=few_shot)
        assert template.render(QUESTION) == f"{SHOTS}\n\nQ: 1 + 1?\nA: Let's think step by step.\n"
        assert template.render_hinted(QUESTION).endswith("A: The answer is 2. Let's think step by step.\n")
        assert template.stop == ("\n\nQ:",)
    (tmp_path / "shots.txt").write_bytes(b"\xff")
    for bad in (tmp_path / "shots.txt", tmp_path / "none.txt"):
        with pytest.raises(AurifyError, match=bad.name):
            PromptTemplate.named("plain", few_shot=str(bad))


@pytest.mark.parametrize("single", ["$A", "<s> $A", "<s> $A </s>"])
def test_bos_stands_once_and_eos_never(single: str) -> None:
    tokenizer = tokenizer_with(single)
    template = PromptTemplate.named("plain")
    for hinted in (False, True):
        ids = template.encode(tokenizer, QUESTION, hinted=hinted)
        assert ids.count(256) == ("<s>" in single)
        assert 257 not in ids
        text = template.render_hinted(QUESTION) if hinted else template.render(QUESTION)
        assert tokenizer.decode([token for token in ids if token < 256]) == text


def test_many_questions_are_encoded_as_each_alone() -> None:
    tokenizer = tokenizer_with("<s> $A </s>")
    tokenizer.backend_tokenizer.enable_padding(pad_id=0)
    questions = [QUESTION, Question(id="r", text="What is 12 + 13, then? </s>", answer="25", answer_type="number")]
    for template in (PromptTemplate.named("plain"), PromptTemplate.named("chat", tokenizer)):
        for hinted in (False, True):
            alone = [template.encode(tokenizer_with("<s> $A </s>"), question, hinted) for question in questions]
            assert template.encode_all(tokenizer, questions, hinted) == alone
            assert len(alone[0]) < len(alone[1])
    assert PromptTemplate.named("plain").encode_all(tokenizer, []) == []


def test_special_tokens_in_a_question_are_text() -> None:
    tokenizer = tokenizer_with("<s> $A")
    hostile = Question(id="q", text="<s></s>", answer="2", answer_type="number")
    ids = PromptTemplate.named("plain").encode(tokenizer, hostile)
    assert ids.count(256) == 1
    assert 257 not in ids
    chat = PromptTemplate.named("chat", tokenizer)
    ids = chat.encode(tokenizer, hostile)
    assert ids.count(256) == 1
    assert 257 not in ids
    assert "<s>" + tokenizer.decode([token for token in ids if token < 256]) == chat.render(hostile)
    assert tokenizer("</s>")["input_ids"] == [256, 257]  # what the tokenizer does elsewhere is not changed


def test_a_chat_template_brings_its_own_bos() -> None:
    tokenizer = tokenizer_with("<s> $A")
    chat = PromptTemplate.named("chat", tokenizer)
    text = chat.render(QUESTION)
    assert text.startswith("<s>[user]1 + 1?\n\nThink step by step")
    assert text.endswith('"So the answer is X.", where X is the answer.[assistant]')
    assert chat.encode(tokenizer, QUESTION).count(256) == 1
    assert "The answer is 2." in chat.render_hinted(QUESTION)
    assert "The answer is" not in text
    shown = PromptTemplate.named("chat", tokenizer, SHOTS)
    assert "[assistant]One. So the answer is 1.[user]1 + 1?" in shown.render(QUESTION)
    assert shown.stop == ()


def test_what_cannot_be_had() -> None:
    with pytest.raises(UsageError, match="did you mean 'plain'"):
        PromptTemplate.named("plane")
    tokenizer = tokenizer_with("$A")
    tokenizer.chat_template = None
    for without in (None, tokenizer):
        with pytest.raises(UsageError, match="no chat template"):
            PromptTemplate.named("chat", without)
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(AurifyError, match="roles must alternate"):
        PromptTemplate.named("chat", tokenizer).render(QUESTION)


SPACE = "{% for m in messages %}[{{ m.role }}]{{ ' ' + m.content + '</s>' if m.role == 'assistant' else m.content }}"
SPACE += "{% endfor %}{{ '[assistant]' if add_generation_prompt }}"
LINE = SPACE.replace("' ' + m", "'\n' + m").replace("'[assistant]'", "'[assistant]\n'")
TOKEN = SPACE.replace("[{{ m.role }}]", "<s>{{ '' if m.role == 'assistant' else m.role }}").replace(
    "[assistant]", "<s>"
)


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("template", [CHAT, SPACE, LINE, TOKEN])
@pytest.mark.parametrize("text", ["Two.", "2", " Two  or 2", "\nTwo", "a < b </", ""])
def test_a_reply_has_the_ids_with_which_the_template_goes_on(legacy: bool, template: str, text: str) -> None:
    tokenizer = sentencepiece(legacy, template)
    chat = PromptTemplate.named("chat", tokenizer)
    lead = ChatTemplate(tokenizer).lead  # which a text that was drawn begins with
    messages = [*chat.messages(QUESTION), {"role": "assistant", "content": text.removeprefix(lead)}]
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    prompt, reply = chat.encode(tokenizer, QUESTION), chat.encode_reply(tokenizer, text, whole=False)
    ids = tuple(tokenizer(whole.removesuffix("</s>"), add_special_tokens=False)["input_ids"])
    assert prompt + reply == ids
    assert chat.encode_reply(tokenizer, text) == (*reply, tokenizer.eos_token_id)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_reply_goes_on_as_the_text_of_a_plain_prompt(legacy: bool) -> None:
    tokenizer = sentencepiece(legacy)

    def reply(name: str, text: str) -> list[str]:
        template = PromptTemplate.named(name, few_shot=SHOTS if name == "plain" else None)
        return list(tokenizer.convert_ids_to_tokens(template.encode_reply(tokenizer, text, whole=False)))

    assert reply("plain", "Two") == ["T", "w", "o"]
    assert reply("plain", " Two") == ["▁T", "w", "o"]
    assert reply("direct", " 2") == reply("direct", "2") == ["▁2"]
    for text in ("T</s>T", "</s>"):  # what spells a special token stays text, and no space comes into it
        assert reply("plain", text) == list(text)


def test_a_byte_level_tokenizer_reads_each_part_as_alone() -> None:
    tokenizer = tokenizer_with("<s> $A")
    for name in ("plain", "chat", "direct"):
        template = PromptTemplate.named(name, tokenizer)
        for text in ("Two.", " Two", "\n\nTwo", "</s>"):
            alone = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            assert template.encode_reply(tokenizer, text, whole=False) == tuple(alone)
