"""A run on the Hugging Face hub: the model folder with its card, the rationale table, the report."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from aurify.errors import AurifyError, UsageError
from aurify.running.folder import RunFolder
from aurify.text import first_line

_NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
_CLIENTS = ("httpx", "httpx2", "requests")
"""Libraries by which huggingface_hub speaks, depending on its version; their errors are not all OSErrors."""
_BESIDE = ("report.html", "config.toml", "metrics.jsonl", "questions.jsonl")


def push(folder: str, name: str, *, private: bool = True, say: Callable[[str], None] = lambda text: None) -> str:
    """Upload a finished run in one commit, and return its address.

    The key is huggingface_hub's own (`hf auth login`, or HF_TOKEN), and so is the server (HF_ENDPOINT).

    Args:
        folder: the run's.
        name: OWNER/NAME, or NAME of the key's owner.
        private: of a repository that is not there yet.

    Raises:
        UsageError: no such name can be.
        AurifyError: the run has no model, or the hub refuses.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--push '{name}': expected OWNER/NAME, of letters, digits, '-', '_' and '.'")
    run = RunFolder(folder)
    if not run.model.is_dir():
        raise AurifyError(f"{run.path}: has no model to upload; end the run, or go on with it by --resume")
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    files = dict(_files(run))
    say(f"uploading {len(files)} files, {sum(path.stat().st_size for path in files.values()) / 2**20:.1f} MiB")
    try:
        api = HfApi()
        repository = api.create_repo(name, private=private, exist_ok=True).repo_id
        operations = [CommitOperationAdd(place, path) for place, path in files.items()]
        warnings.filterwarnings("ignore", message=".*commit a data file.*")  # the table belongs to its model
        api.create_commit(repository, operations, commit_message=f"A run of aurify: {run.path.name}")
    except LocalTokenNotFoundError:
        raise AurifyError("--push: no key for the hub: `hf auth login`, or HF_TOKEN in the environment") from None
    except OfflineModeIsEnabled:
        raise AurifyError("--push: HF_HUB_OFFLINE is set, so nothing is sent") from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        hint = " (is there a key? `hf auth login`, or HF_TOKEN)" if status in (401, 403) else ""
        raise AurifyError(f"--push {name}: the hub refuses: {first_line(error)}{hint}") from None
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in _CLIENTS:
            raise
        raise AurifyError(f"--push {name}: the hub cannot be reached: {first_line(error)}") from None
    return f"{api.endpoint}/{repository}"


def _files(run: RunFolder) -> Iterator[tuple[str, Path]]:
    """What is uploaded: the place in the repository, and the file."""
    for path in sorted(run.model.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(run.model).as_posix(), path
    for path in sorted(run.rationales.glob("*.parquet")):
        yield f"rationales/{path.name}", path
    for name in _BESIDE:
        if (run.path / name).is_file():
            yield f"run/{name}" if name != "report.html" else name, run.path / name
