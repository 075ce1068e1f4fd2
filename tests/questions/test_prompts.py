from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from aurify.errors import AurifyError, UsageError
from aurify.questions import PromptTemplate, Question

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
