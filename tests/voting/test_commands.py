"""``aurify rank`` and ``aurify vote`` through the real command line: files in, files out, every mistake one line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from aurify.cli.app import exit_status, new_app
from aurify.cli.rank import register as register_rank
from aurify.cli.vote import register as register_vote
from aurify.progress import Ticker
from aurify.voting.neural_ranker import NeuralRanker
from aurify.voting.pool import CandidatePool
from aurify.voting.ranker import load_ranker
from aurify.voting.settings import RankSettings
from aurify.voting.train import run_rank

Run = Callable[..., "CompletedProcess[str]"]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aurify(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The commands in this process: (exit status, standard output, error)."""
    monkeypatch.chdir(tmp_path)

    def build() -> object:
        app = new_app()
        register_rank(app)
        register_vote(app)
        return app

    def run(*words: object) -> tuple[int, str, str]:
        status = exit_status(build, list(map(str, words)))  # type: ignore[arg-type]
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def files(
    tmp_path: Path, make_pools: Callable[..., list[CandidatePool]], write_samples: Callable[..., tuple[Path, Path]]
) -> tuple[Path, Path]:
    """Questions and samples of 60 sums."""
    return write_samples(tmp_path, make_pools(60, samples=4))


def answers(out: str) -> dict[str, dict[str, object]]:
    return {row["question_id"]: row for row in map(json.loads, out.splitlines())}


def test_a_ranker_is_trained_saved_and_makes_votes_better(
    run_aurify: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    questions, samples = files
    done = run_aurify(
        "rank", "--from", samples, "--data", questions, "--out", "ranker", "--samples", 4, "--holdout", 0.4,
        "--json", "report.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("240 rationales on 60 questions, ")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["pair_accuracy"]["accuracy"] > 0.8
    assert list(report["votes"]) == ["1", "2", "4"]
    assert "asc over sc" in done.stdout

    plain = run_aurify("vote", samples, "--data", questions)
    ranked = run_aurify("vote", samples, "--data", questions, "--ranker", "ranker", "--cases", 2)
    assert (plain.returncode, ranked.returncode) == (0, 0), plain.stderr + ranked.stderr
    before, after = answers(plain.stdout), answers(ranked.stdout)
    assert list(before) == list(after) == [f"q{i}" for i in range(60)]
    gain = sum(float(str(after[q]["credit"])) - float(str(before[q]["credit"])) for q in before)
    assert gain > 1
    assert "vote sc" in plain.stderr
    assert "vote asc" in ranked.stderr
    assert "wrong to right" in ranked.stderr
    assert ranked.stderr.count("question q") == 2


def test_long_work_on_a_ranker_tells_how_far_it_is(files: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    told: dict[str, list[tuple[int, int]]] = {}

    @contextmanager
    def bar(what: str) -> Iterator[Callable[[int, int], None]]:
        told[what] = []
        yield lambda done, asked: told[what].append((done, asked))

    questions, samples = files
    words = {"from_": str(samples), "data": str(questions), "out": str(tmp_path / "ranker"), "holdout": 0.4}
    report = run_rank(RankSettings(**words), bar=bar).report
    unseen = report["questions"]
    taught = told["questions read"][-1][0]
    assert told["questions read"] == [(number, taught) for number in range(1, taught + 1)]
    assert taught + unseen < 60 < taught + 2 * unseen + 2  # as many as are measured calibrate the scores
    assert told["questions measured"] == [(0, unseen)]  # few enough to be looked at together


def test_votes_into_a_file_tell_how_far_they_are(
    aurify: Command, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aurify.cli.vote.Ticker", partial(Ticker, first=0.0, every=1e9))
    questions, samples = files
    status, _, errors = aurify("vote", samples, "--data", questions, "--out", "answers.jsonl")
    assert status == 0
    assert errors.startswith("1 questions voted on so far\n60 questions, ")
    assert "so far" not in aurify("vote", samples, "--data", questions)[2]


def test_a_ranker_of_what_a_run_left_behind_knows_the_model_of_the_run(
    run_aurify: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    questions, samples = files
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    for name, config, warned in (("mine", 'method = "trice"\n', False), ("distilled", 'from = "runs/mine"\n', True)):
        run = tmp_path / "runs" / name
        done = run_aurify("import", samples, "--data", questions, "--out", run)
        assert done.returncode == 0, done.stderr
        (run / "model").mkdir()
        (run / "config.toml").write_text(config)
        done = run_aurify("rank", "--from", f"runs/{name}", "--data", questions, "--out", f"ranker-{name}")
        assert done.returncode == 0, done.stderr
        drawn = [{**row, "samples": [{**one, "model": f"{run}/model"} for one in row["samples"]]} for row in rows]
        (tmp_path / "drawn.jsonl").write_text("".join(json.dumps(row) + "\n" for row in drawn))
        voted = run_aurify("vote", "drawn.jsonl", "--data", questions, "--ranker", f"ranker-{name}")
        assert voted.returncode == 0, voted.stderr
        assert ("may not mean what they say" in voted.stderr) == warned, name


def test_votes_of_a_file_from_anywhere(aurify: Command, tmp_path: Path) -> None:
    rows = [
        {"question": "1/2?", "samples": [{"text": "The answer is 0.5."}, {"text": "The answer is 1/2."},
                                         {"text": "The answer is 3."}, {"text": "who knows"}]},
        {"question": "none?", "samples": [{"text": "dunno"}, {"text": ""}]},
        {"question": "one?", "samples": [{"text": "The answer is 7."}]},
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, err = aurify("vote", "rows.jsonl", "--answers", "number")
    found = answers(out)
    assert (status, err) == (0, "3 questions, 2.33 samples each, vote sc: 0 ties, 1 without an answer\n")
    assert found["1/2?"] == {
        "question_id": "1/2?", "answer": "0.5", "confidence": pytest.approx(2 / 3), "tied": False, "samples": 4,
        "votes": [{"answer": "0.5", "votes": 2.0}, {"answer": "3", "votes": 1.0}], "rationale": "The answer is 0.5.",
        "candidates": [
            {"text": "The answer is 0.5.", "answer": "0.5", "chosen": True},
            {"text": "The answer is 1/2.", "answer": "1/2"}, {"text": "The answer is 3.", "answer": "3"},
            {"text": "who knows", "answer": None},
        ],
    }  # fmt: skip
    assert (found["none?"]["answer"], found["none?"]["confidence"], found["none?"]["rationale"]) == (None, 0.0, None)
    assert (found["one?"]["answer"], found["one?"]["confidence"]) == ("7", 1.0)
    status, first, _ = aurify("vote", "rows.jsonl", "--answers", "number", "--samples", 1, "--out", "out.jsonl")
    assert (status, first) == (0, "")
    assert {row["samples"] for row in answers((tmp_path / "out.jsonl").read_text()).values()} == {1}


def test_rationales_drawn_with_the_answer_in_the_prompt_neither_vote_nor_teach_a_ranker(
    aurify: Command, files: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    questions, samples = files
    hinted = [
        {"id": json.loads(line)["id"], "text": "The answer is 0.", "source": "guide"}
        for line in questions.read_text().splitlines()
    ]
    text = "".join(json.dumps(row) + "\n" for row in hinted)
    (tmp_path / "all.jsonl").write_text(samples.read_text() + text * 9)
    (tmp_path / "hinted.jsonl").write_text(text)
    said = "all.jsonl: 540 rationales were drawn with the answer in the prompt; left out\n"
    for words in (("--data", questions), ("--answers", "number")):
        status, out, err = aurify("vote", "all.jsonl", *words)
        assert (status, said in err) == (0, True), err
        assert {row["samples"] for row in answers(out).values()} == {4}
        status, _, err = aurify("vote", "hinted.jsonl", *words)
        assert (status, "all 60 rationales were drawn with the answer in the prompt" in err) == (1, True)
    status, _, err = aurify("rank", "--from", "all.jsonl", "--data", questions, "--out", "ranker", "--samples", 4)
    assert (status, said in err) == (0, True)
    assert "240 rationales on 60 questions" in err


def test_stopping_early_spends_less(aurify: Command, tmp_path: Path) -> None:
    row = {"question": "q", "samples": [{"text": "The answer is 7."}] * 12}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    for words, spent in (
        ((), 12),
        (("--stop", "certain"), 7),
        (("--stop", "beta"), 4),
        (("--stop", "beta", "--sure", 0.7), 2),
    ):
        assert answers(aurify("vote", "rows.jsonl", "--answers", "number", *words)[1])["q"]["samples"] == spent


def test_a_ranker_warns_of_another_models_samples_and_refuses_to_look_ahead(
    aurify: Command, files: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    questions, samples = files
    assert aurify("rank", "--from", samples, "--data", questions, "--out", "ranker", "--samples", 4)[0] == 0
    other = tmp_path / "other.jsonl"
    other.write_text(samples.read_text().replace('"writer"', '"stranger\\u001b[31m"'))
    status, _, err = aurify("vote", other, "--data", questions, "--ranker", "ranker")
    assert status == 0
    assert err.startswith(
        "warning: the ranker was trained on samples of writer and judges those of stranger: its scores"
    )
    assert "\x1b" not in err
    status, _, err = aurify("vote", samples, "--data", questions, "--ranker", "ranker", "--stop", "beta")
    assert status == 2
    assert "--stop beta: this ranker looks at all samples of a question at once" in err
    status, _, err = aurify("rank", "--from", samples, "--data", questions, "--out", "ranker")
    assert (status, "--out ranker: already there and not empty" in err) == (2, True)
    (tmp_path / "ranker" / "ranker.json").write_text("{}")
    status, _, err = aurify("vote", samples, "--data", questions, "--ranker", "ranker")
    assert (status, "ranker.json: damaged" in err) == (1, True)


def test_accuracy_on_questions_that_the_ranker_learned_from_is_called_flattered(
    aurify: Command, files: tuple[Path, Path], make_pools: Callable[..., list[CandidatePool]],
    write_samples: Callable[..., tuple[Path, Path]], tmp_path: Path,
) -> None:  # fmt: skip
    pytest.importorskip("sklearn")
    questions, samples = files
    rank = ("rank", "--from", samples, "--data", questions, "--out", "ranker", "--samples", 4, "--holdout", 0.4)
    assert aurify(*rank)[0] == 0
    (tmp_path / "new").mkdir()
    new_questions, new_samples = write_samples(tmp_path / "new", make_pools(20, samples=4, seed=5))

    def said(file: Path, data: Path, *words: object) -> str:
        status, _, err = aurify("vote", file, "--data", data, *words)
        assert status == 0
        return err

    learned = len(load_ranker(tmp_path / "ranker").learned)
    assert 36 <= learned < 60, "some were but measured"
    flattered = f"{learned} of the 60 questions are those that the ranker learned from, so that flatters it"
    assert flattered in said(samples, questions, "--ranker", "ranker")
    assert "flatters" not in said(samples, questions)
    assert "flatters" not in said(new_samples, new_questions, "--ranker", "ranker")


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["vote", "samples.jsonl", "--vote", "asc"], 2, "--vote asc needs --ranker"),
        (["vote", "samples.jsonl", "--vote", "mean"], 2, "--vote 'mean'"),
        (["vote", "samples.jsonl"], 2, "say with --answers how to read them"),
        (["vote", "samples.jsonl", "--answers", "nmber"], 2, "--answers 'nmber': did you mean 'number'?"),
        (["vote", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file or folder"),
        (["vote", "samples.jsonl", "--ranker", "nowhere"], 1, "--ranker nowhere: no ranker.json there"),
        (["vote", "samples.jsonl", "--out", "no/such/file"], 2, "--out no/such/file: not a file in a folder"),
        (["vote", "samples.jsonl", "--sure", "0.4"], 2, "--sure '0.4'"),
        (["vote", "samples.jsonl", "--data", "other.jsonl"], 1, "on a question of other.jsonl"),
        (["rank", "--from", "samples.jsonl", "--data", "other.jsonl", "--out", "r"], 1, "on a question of other.jsonl"),
        (["rank", "--from", "samples.jsonl", "--data", "questions.jsonl"], 2, "--out is needed"),
        (["rank", "--from", "samples.jsonl", "--data", "questions.jsonl", "--out", "r", "--holdout", "1"], 2, "--hold"),
        (["rank", "--from", "right.jsonl", "--data", "questions.jsonl", "--out", "r"], 1, "are all right"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    aurify: Command, files: tuple[Path, Path], tmp_path: Path, words: list[str], status: int, complaint: str
) -> None:
    (tmp_path / "other.jsonl").write_text('{"id": "zzz", "question": "Other?", "answer": "5"}\n')
    golds = [json.loads(line) for line in files[0].read_text().splitlines()]
    right = [{"id": row["id"], "text": f"The answer is {row['answer']}."} for row in golds]
    (tmp_path / "right.jsonl").write_text("".join(json.dumps(row) + "\n" for row in right))
    found, out, err = aurify(*words)
    assert (found, out) == (status, "")
    assert err.splitlines()[-1].startswith("aurify: ")
    assert complaint in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_neural_ranker_that_is_stopped_goes_on_and_one_that_is_finished_does_not(
    aurify: Command, files: tuple[Path, Path], tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions, samples = files
    words = [
        "rank", "--from", samples, "--data", questions, "--out", "ranker", "--samples", 4, "--holdout", 0.4, "--ranker",
        "neural", "--model", tiny_model_dir, "--epochs", 1, "--max-tokens", 64, "--lora-rank", 2, "--save-every", 1,
    ]  # fmt: skip
    step = NeuralRanker.accumulate

    def stopped(*given: object) -> float:
        signal.raise_signal(signal.SIGTERM)
        return step(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(NeuralRanker, "accumulate", stopped)
    status, _, errors = aurify(*words)
    assert status == 1
    assert "stopped after step 1 of" in errors
    assert (tmp_path / "ranker" / "checkpoints").is_dir()
    monkeypatch.setattr(NeuralRanker, "accumulate", step)
    status, _, errors = aurify(*words)
    assert status == 2
    assert "choose another folder, or --resume" in errors
    status, out, errors = aurify(*words, "--resume")
    assert status == 0, errors
    assert "goes on after step 1 of" in errors
    assert "in the right order" in out
    assert not (tmp_path / "ranker" / "checkpoints").exists()
    assert load_ranker(tmp_path / "ranker").kind == "neural"
    assert aurify(*words, "--resume")[0] == 2
    status, _, errors = aurify("rank", "--from", samples, "--data", questions, "--out", "other", "--resume")
    assert status == 2
    assert "--resume is for --ranker neural" in errors
