"""Questions whose answer is a program with tests: HumanEval and MBPP (in full or sanitized), solution or none."""

from __future__ import annotations

from aurify.answers.exams import is_humaneval, is_mbpp
from aurify.questions.fields import Fields
from aurify.questions.forms.form import Form, Found
from aurify.questions.gold import as_text

_WHOLE = "Write the whole program in one Python code block."


def _read_humaneval(fields: Fields) -> Found:
    prompt = as_text(fields["prompt"], "prompt")
    solution = fields.get("canonical_solution")
    gold = f"{prompt}{solution}" if isinstance(solution, str) and solution.strip() else None
    return _found(f"Complete this function.\n\n{_block(prompt)}\n\n{_WHOLE}", gold)


def _read_mbpp(fields: Fields) -> Found:
    name = fields.named(("text", "prompt", "question", "problem"), "question")
    tests = "\n".join(str(one) for one in fields["test_list"])
    text = f"{as_text(fields[name], name).strip()}\n\nIt must pass these tests:\n\n{_block(tests)}\n\n{_WHOLE}"
    solution = fields.get("code", fields.get("canonical_solution"))
    return _found(text, solution if isinstance(solution, str) and solution.strip() else None)


def _found(text: str, gold: str | None) -> Found:
    block = _block(gold) if gold else None
    return Found(text, (block,) if block else (), rationale=block, answer_type="code")


def _block(code: str) -> str:
    code = code.replace("\r\n", "\n")
    return f"```python\n{code.rstrip()}\n```"


HUMANEVAL = Form(
    "humaneval", "a function to complete, and its tests in test and entry_point (HumanEval)", is_humaneval,
    _read_humaneval,
)  # fmt: skip
MBPP = Form("mbpp", "a task in words, and its tests in test_list (MBPP)", is_mbpp, _read_mbpp)
