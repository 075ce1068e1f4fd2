"""Draw rationales from an API: prompts as text, answers through a grader, records out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aurify.answers import Grade, Grader, Verdict
from aurify.collecting.api import Answers, Api, ApiRequest, Ask, Cache, Caps, Price, Reply, Teacher
from aurify.questions import PromptTemplate, Question
from aurify.rationales.record import Rationale, Source
from aurify.seeds import stable_seed

_SOURCE: Source = "teacher"
_STEP = 0
"""What is drawn here is of no training step."""


@dataclass(frozen=True)
class Server:
    """Where requests go, and how patiently. The key is not shown when this is printed."""

    url: str
    key: str | None = field(repr=False)
    key_env: str
    timeout: float = 120.0
    concurrency: int = 8
    choices: int = 8
    retries: int = 6
    first_wait: float = 0.5


@dataclass(frozen=True)
class Teaching:
    """How rationales are drawn from a server's model: the counterpart of ``Drawing``."""

    server: Server
    cache: Cache
    template: PromptTemplate
    model: str
    seed: int
    max_new_tokens: int
    price: Price | None = None
    money_cap: float = 0.0
    token_cap: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of every request; None takes a field out."""
    length_field: str = "max_tokens"
    """What a chat request calls its token limit."""
    progress: Callable[[int, Caps], None] = lambda samples, caps: None
    """Called with the number of samples that came in, and what was spent so far."""
    say: Callable[[str], None] = lambda text: None
    """Is told what the server does not take, and of long waits."""

    def asks(self, questions: Sequence[Question], *, samples: int, temperature: float) -> list[Ask]:
        """What is asked of every question; a sample's seed is a stable hash, as for a local model's."""
        return [
            Ask(
                question.id,
                self._request(question, temperature),
                tuple(stable_seed(self.seed, question.id, _STEP, index, _SOURCE) for index in range(samples)),
            )
            for question in questions
        ]

    def known(self, asks: Sequence[Ask]) -> int:
        """How many of the samples are in the cache."""
        return len(self.cache.get(key for ask in asks for key in ask.keys(self.server.url.rstrip("/"))))

    def ask(self, asks: Sequence[Ask]) -> Answers:
        """Get the samples, from the cache or the server.

        Raises:
            AurifyError: no request to this server can succeed.
        """

        async def work() -> Answers:
            server = self.server
            api = Api(server.url, server.key, key_env=server.key_env, timeout=server.timeout, say=self.say)
            caps = Caps(self.cache, self.price, money_cap=self.money_cap, token_cap=self.token_cap)
            teacher = Teacher(
                api, self.cache, caps, concurrency=server.concurrency, choices=server.choices,
                retries=server.retries, first_wait=server.first_wait,
                progress=lambda samples: self.progress(samples, caps), say=self.say,
            )  # fmt: skip
            try:
                return await teacher.ask_all(asks)
            finally:
                await api.close()

        return asyncio.run(work())

    def _request(self, question: Question, temperature: float) -> ApiRequest:
        chat = self.template.name == "chat"
        length = self.length_field if chat else "max_tokens"  # the only one that completions know
        body: dict[str, Any] = {"model": self.model, "temperature": temperature, length: self.max_new_tokens}
        if chat:
            body["messages"] = self.template.messages(question)
            if self.template.template_args:
                body["chat_template_kwargs"] = dict(self.template.template_args)
        else:
            body["prompt"] = self.template.render(question)
        if self.template.stop:
            body["stop"] = list(self.template.stop)
        body.update(self.extra)
        return ApiRequest("chat/completions" if chat else "completions", body, self.max_new_tokens)


def graded_replies(
    questions: Sequence[Question],
    asks: Sequence[Ask],
    replies: Sequence[Sequence[Reply | None]],
    grader: Grader,
    model: str,
) -> list[list[Rationale]]:
    """The replies as rationales [Q][at most S]; a sample without a reply is left out.

    A refusal and a reply without content are ``unparsable``, since no answer was given, whatever numbers they hold.
    What a server's filter cut off is ``truncated``, as at a token limit: nothing may learn that the text ends there.
    """
    places = [
        (question, ask.seeds[index], index, reply, row)
        for row, (question, ask) in enumerate(zip(questions, asks, strict=True))
        for index, reply in enumerate(replies[row])
        if reply is not None
    ]
    grades = grader.grade_all([(reply.text or "", question, _truncated(reply)) for question, _, _, reply, _ in places])
    found: list[list[Rationale]] = [[] for _ in questions]
    for (question, seed, index, reply, row), judged in zip(places, grades, strict=True):
        grade = _unanswered(reply) or judged
        found[row].append(
            Rationale(
                question_id=question.id,
                token_ids=(),
                text=reply.text or reply.refusal or "",
                predicted=grade.predicted,
                verdict=grade.verdict,
                reason=grade.reason,
                source=_SOURCE,
                model=model,
                step=_STEP,
                sample_index=index,
                seed=seed,
                finish_reason="length" if _truncated(reply) or _filtered(reply) else "stop",
                logprob=None,
                score=grade.score,
            )
        )
    return found


def _truncated(reply: Reply) -> bool:
    return reply.finish_reason == "length"


def _filtered(reply: Reply) -> bool:
    return reply.finish_reason == "content_filter"


def _unanswered(reply: Reply) -> Grade | None:
    """The grade of a reply that holds no answer to grade."""
    if reply.refusal is not None and not reply.text:
        return Grade(Verdict.UNPARSABLE, "the model refused to answer")
    if not reply.text and not _truncated(reply):
        return Grade(Verdict.UNPARSABLE, f"the server sent no content (finish reason {reply.finish_reason[:40]})")
    if _filtered(reply):
        return Grade(Verdict.TRUNCATED, "cut off by the server's content filter")
    return None
