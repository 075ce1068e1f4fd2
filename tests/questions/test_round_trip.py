"""What a template writes for a turn is what is learned of it, read of it, and cut there, whatever family it is of.

The templates are stand-ins: what matters of how each family writes a turn, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from aurify.answers.reading import Unreadable
from aurify.answers.thought import reply, with_thought
from aurify.models.eos import ending_ids
from aurify.questions import PromptTemplate, Question
from aurify.questions.chat import know_eos
from aurify.questions.special import text_of

QUESTION = Question(id="q", text="1 + 1?", answer="2", answer_type="number")
THOUGHT, REPLY = "Hm, one and one: is it 3?", "So the answer is 2."


@dataclass(frozen=True)
class Family:
    """How a template writes a user's turn, the head of an assistant's one, and a turn with a thought and without."""

    user: str
    head: str
    silent: str
    """A turn without a thought: ``@R`` stands for its reply."""
    thinking: str = ""
    """A turn with the thought ``@T``; empty: the template drops thoughts."""
    prompt: str | None = None
    """What stands behind the question in a prompt, where that is more than the head."""
    eos: tuple[str, ...] = ()
    """The model's EOS tokens; the first is the tokenizer's."""
    words: tuple[str, ...] = ()
    """Special tokens beside those."""
    loose: tuple[str, ...] = ()
    """Tags that are tokens, and no special ones."""
    past: str | None = None
    """A turn that another follows, where it is written otherwise."""
    end: str | None = None
    """What the model ends a turn with, where the template does not write it behind a last one."""
    args: dict[str, Any] = field(default_factory=dict)

    @property
    def template(self) -> str:
        def written(turn: str) -> str:
            return repr(turn).replace("@R", "' + m.content + '").replace("@T", "' + m.reasoning_content + '")

        silent, past = written(self.head + self.silent), written(self.head + (self.past or self.silent))
        thinking = written(self.head + self.thinking) if self.thinking else silent
        return (
            f"{{% for m in messages %}}{{% if m.role != 'assistant' %}}{{{{ {self.user!r}.replace('@U', m.content) }}}}"
            f"{{% elif not loop.last %}}{{{{ {past} }}}}{{% elif m.reasoning_content %}}{{{{ {thinking} }}}}"
            f"{{% else %}}{{{{ {silent} }}}}{{% endif %}}{{% endfor %}}"
            f"{{% if add_generation_prompt %}}{{{{ {self.prompt or repr(self.head)} }}}}{{% endif %}}"
        )

    def tokenizer(self) -> Any:
        """A byte-level one in which a full stop and the line break behind it are one token."""
        vocab = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
        inner = Tokenizer(models.BPE(vocab={**vocab, ".Ċ": 256}, merges=[(".", "Ċ")]))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        inner.decoder = decoders.ByteLevel()
        inner.add_special_tokens([AddedToken(word) for word in (*self.eos, *self.words)])
        inner.add_tokens([AddedToken(word, normalized=False) for word in self.loose])
        return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=self.eos[0], chat_template=self.template)


CHATML = {"user": "<|im_start|>user\n@U<|im_end|>\n", "head": "<|im_start|>assistant\n", "eos": ("<|im_end|>",)}
CHATML |= {"words": ("<|im_start|>",), "loose": ("<think>", "</think>")}
COMMAND = {"user": "<|START|><|USER|>@U<|END_OF_TURN|>", "head": "<|START|><|CHATBOT|>", "eos": ("<|END_OF_TURN|>",)}
COMMAND |= {"words": ("<|START|>", "<|USER|>", "<|CHATBOT|>", "<|START_THINKING|>", "<|END_THINKING|>")}
R_END = "@R<|END_RESPONSE|><|END_OF_TURN|>"

FAMILIES = {
    "chatml": Family(**CHATML, silent="@R<|im_end|>\n"),
    "qwen3": Family(
        **CHATML, silent="<think>\n\n</think>\n\n@R<|im_end|>\n", thinking="<think>\n@T\n</think>\n\n@R<|im_end|>\n",
        past="@R<|im_end|>\n",
    ),
    "qwen3 that does not think": Family(
        **CHATML, silent="<think>\n\n</think>\n\n@R<|im_end|>\n", past="@R<|im_end|>\n",
        args={"enable_thinking": False},
        prompt=r"'<|im_start|>assistant\n' + ('' if enable_thinking | default(true) else '<think>\n\n</think>\n\n')",
    ),
    "r1": Family(**CHATML, silent="@R<|im_end|>", prompt=r"'<|im_start|>assistant\n<think>\n'"),
    "nemotron": Family(
        **CHATML, silent="<think></think>@R<|im_end|>\n", thinking="<think>\n@T\n</think>\n@R<|im_end|>\n",
        prompt=r"'<|im_start|>assistant\n<think>\n'",
    ),
    "line before the end": Family(**CHATML, silent="@R\n<|im_end|>\n"),
    "glm": Family(
        "<|user|>\n@U", "<|assistant|>", "\n<think></think>\n@R", "\n<think>@T</think>\n@R", words=("<|assistant|>",),
        eos=("<|end|>", "<|user|>"), loose=("<think>", "</think>"), end="<|user|>",
    ),
    "gemma": Family(
        "<bos>user\n@U<end_of_turn>\n", "<bos>model\n", "@R<end_of_turn>\n", eos=("<eos>", "<end_of_turn>"),
        words=("<bos>",),
    ),
    "llama 2": Family("[INST] @U [/INST]", "", " @R </s>", eos=("</s>",)),
    "phi 3": Family(
        "<|user|>\n@U<|end|>\n", "<|assistant|>\n", "@R<|end|>\n<|endoftext|>", past="@R<|end|>\n",
        eos=("<|endoftext|>", "<|end|>"), words=("<|user|>", "<|assistant|>"),
    ),
    "mistral": Family("[INST]@U[/INST]", "", "@R</s>", "[THINK]@T[/THINK]@R</s>", eos=("</s>",),
                      words=("[INST]", "[/INST]", "[THINK]", "[/THINK]")),
    "command": Family(
        **{**COMMAND, "words": (*COMMAND["words"], "<|START_RESPONSE|>", "<|END_RESPONSE|>")},
        silent="<|START_RESPONSE|>" + R_END,
        thinking="<|START_THINKING|>@T<|END_THINKING|><|START_RESPONSE|>" + R_END,
    ),
    "command that opens": Family(
        **{**COMMAND, "words": (*COMMAND["words"], "<|START_RESPONSE|>", "<|END_RESPONSE|>")},
        silent="<|START_RESPONSE|>" + R_END,
        thinking="<|START_THINKING|>@T<|END_THINKING|><|START_RESPONSE|>" + R_END,
        prompt=r"'<|START|><|CHATBOT|><|START_THINKING|>'",
    ),
    "gpt-oss": Family(
        "<|start|>user<|message|>@U<|end|>", "<|start|>assistant", "<|channel|>final<|message|>@R<|return|>",
        "<|channel|>analysis<|message|>@T<|end|><|start|>assistant<|channel|>final<|message|>@R<|return|>",
        eos=("<|return|>",), words=("<|start|>", "<|message|>", "<|end|>", "<|channel|>"),
    ),
    "gemma 4": Family(
        "<|turn>user\n@U<turn|>\n", "<|turn>model\n", "@R<turn|>\n", "<|channel>thought\n@T<channel|>@R<turn|>\n",
        eos=("<eos>", "<turn|>"), words=("<|turn>", "<|channel>", "<channel|>"),
    ),
    "kimi k3": Family(
        "<|open|>message user<|sep|>@U<|close|>message<|sep|><|eom|>", "<|open|>message assistant<|sep|>",
        "<|open|>think<|sep|><|close|>think<|sep|><|open|>response<|sep|>@R<|close|>response<|sep|><|close|>message"
        "<|sep|><|eom|>",
        "<|open|>think<|sep|>@T<|close|>think<|sep|><|open|>response<|sep|>@R<|close|>response<|sep|><|close|>message"
        "<|sep|><|eom|>",
        prompt=r"'<|open|>message assistant<|sep|><|open|>think<|sep|>'",
        eos=("<|eom|>",), words=("<|open|>", "<|close|>", "<|sep|>"),
    ),
    "solar": Family(
        "<|begin|>user<|content|>@U<|end|>", "<|begin|>assistant", "<|content|>@R<|end|>",
        "<|think|>@T<|end|><|begin|>assistant<|content|>@R<|end|>",
        eos=("<|flush|>",), words=("<|begin|>", "<|content|>", "<|end|>", "<|think|>"), end="<|flush|>",
    ),
    "muse": Family(
        "<|start|>user<|message|>@U<|eot|>", "<|start|>assistant", " to=user<|message|>@R<|eot|>",
        " to=self<|message|>@T<|eom|><|start|>assistant to=user<|message|>@R<|eot|>",
        eos=("<|eot|>",), words=("<|start|>", "<|message|>", "<|eom|>"),
    ),
    "apriel": Family(
        "<|user|>\n@U\n<|end|>\n", "<|assistant|>\n", "@R\n<|end|>\n",
        prompt=r"'<|assistant|>\nHere are my reasoning steps:\n'",
        eos=("<|end|>",), words=("<|user|>", "<|assistant|>"),
    ),
}  # fmt: skip


DROPS = ("r1", "apriel")
"""Whose templates show no thought, and open one."""
THINKING = [name for name, family in FAMILIES.items() if family.thinking]


def asked_in(name: str) -> tuple[Any, PromptTemplate, frozenset[int]]:
    """The tokenizer of a family, its prompts, and what ends a sample."""
    family = FAMILIES[name]
    tokenizer = family.tokenizer()
    named = SimpleNamespace(eos_token_id=[tokenizer.convert_tokens_to_ids(word) for word in family.eos])
    know_eos(tokenizer, named.eos_token_id)
    chat = PromptTemplate.named("chat", tokenizer, template_args=family.args)
    return tokenizer, chat, ending_ids([named], tokenizer)


def written(name: str, chat: PromptTemplate, thought: str = "") -> list[int]:
    """The ids of a turn as the template itself writes it behind the prompt, up to what ends it.

    Where the prompt opens a thought, and the template writes a reply without any, the thought is an empty one.
    """
    family, tokenizer, prompt = FAMILIES[name], chat.tokenizer, chat.render(QUESTION)

    def behind(thought: str) -> str | None:
        turn = {"role": "assistant", "content": REPLY} | ({"reasoning_content": thought} if thought else {})
        messages = [*chat.messages(QUESTION), turn]
        text = str(tokenizer.apply_chat_template(messages, tokenize=False, **family.args))
        return text[len(prompt) :] if text.startswith(prompt) else None

    text = behind(thought)
    if text is None:
        text = str(behind(THOUGHT)).replace(THOUGHT, "")
    end = family.end or next(word for word in family.eos[::-1] if word in text)
    text = text.rpartition(REPLY)[0] + REPLY if family.end else text.partition(end)[0]
    return list(tokenizer(text + end, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in DROPS])
def test_a_reply_is_learned_as_the_template_writes_it(name: str) -> None:
    tokenizer, chat, ends = asked_in(name)
    ids = written(name, chat)
    assert tokenizer.decode(chat.encode_reply(tokenizer, REPLY)) == tokenizer.decode(ids)
    assert list(chat.encode_reply(tokenizer, REPLY)) == ids
    assert [token in ends for token in ids] == [False] * (len(ids) - 1) + [True]
    assert chat.ending(tokenizer)[-1] == chat.end_id(tokenizer) == ids[-1]
    read = chat.opening + text_of(tokenizer, ids)
    assert reply(read).strip() == REPLY
    assert list(chat.encode_reply(tokenizer, read)) == ids


@pytest.mark.parametrize("name", THINKING)
def test_so_is_one_with_a_thought_whatever_tags_it_came_in(name: str) -> None:
    tokenizer, chat, ends = asked_in(name)
    ids = written(name, chat, THOUGHT)
    assert [token in ends for token in ids] == [False] * (len(ids) - 1) + [True]
    read = chat.opening + text_of(tokenizer, ids)
    assert reply(read).strip() == REPLY
    gpt_oss = f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{REPLY}"
    for text in (read, with_thought(THOUGHT, REPLY), f"[THINK]{THOUGHT}[/THINK]{REPLY}", gpt_oss):
        assert tokenizer.decode(chat.encode_reply(tokenizer, text)) == tokenizer.decode(ids)
        assert list(chat.encode_reply(tokenizer, text)) == ids
    assert list(chat.encode_reply(tokenizer, with_thought("", REPLY))) == list(chat.encode_reply(tokenizer, REPLY))


@pytest.mark.parametrize("name", THINKING)
def test_a_thought_that_never_closes_states_nothing(name: str) -> None:
    tokenizer, chat, _ = asked_in(name)
    head = tokenizer.decode(written(name, chat, THOUGHT)).partition(THOUGHT)[0]
    open_ids = tokenizer(head + THOUGHT + REPLY, add_special_tokens=False)["input_ids"]
    with pytest.raises(Unreadable):
        reply(chat.opening + text_of(tokenizer, open_ids))
    assert list(chat.encode_reply(tokenizer, chat.opening + text_of(tokenizer, open_ids), whole=False)) == open_ids


@pytest.mark.parametrize(("name", "close"), [("r1", "\n</think>\n\n"), ("apriel", "\n[BEGIN FINAL RESPONSE]\n")])
def test_a_template_that_shows_no_thought_has_it_closed_by_its_family(name: str, close: str) -> None:
    tokenizer, chat, ends = asked_in(name)
    end = tokenizer.decode(chat.ending(tokenizer))
    foreign = with_thought(THOUGHT, REPLY) if name == "apriel" else f"[THINK]{THOUGHT}[/THINK]{REPLY}"
    assert tokenizer.decode(chat.encode_reply(tokenizer, REPLY)) == close + REPLY + end
    assert tokenizer.decode(chat.encode_reply(tokenizer, foreign)) == THOUGHT + close + REPLY + end
    own = THOUGHT + close.strip() + REPLY
    assert tokenizer.decode(chat.encode_reply(tokenizer, chat.opening + own)) == own + end
    assert chat.end_id(tokenizer) in ends


def test_what_a_text_spells_is_never_a_turn() -> None:
    tokenizer, chat, _ = asked_in("kimi k3")
    said = "<|close|>response<|sep|> 2<|eom|>"
    ids = list(chat.encode_reply(tokenizer, said))
    assert text_of(tokenizer, ids) == f"</think>{said}"
    assert ids[-len(chat.ending(tokenizer)) :] == list(chat.ending(tokenizer))
    assert ids.count(tokenizer.eos_token_id) == 1
