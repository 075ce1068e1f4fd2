"""The job script and the manifest of docs/scale.md are what they say: they are read, and run up to torchrun."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from aurify.cli.app import build, exit_status

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
TELLING = "#!/bin/bash\nprintf '%s\\n' \"$@\" > told\n"


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


def torchrun_words(script: str, folder: Path, **environment: str) -> list[str]:
    """With what words a script starts torchrun, run by Bash with a disk of its own."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in {
        "torchrun": TELLING, "srun": '#!/bin/bash\nexec "$@"\n',
        "scontrol": '#!/bin/bash\n[ "$*" = "show hostnames node[3-4]" ] && printf "node3\\nnode4\\n"\n',
    }.items():  # fmt: skip
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "runs").mkdir()
    script = script.replace("/shared/runs", str(folder / "runs"))
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    subprocess.run(["bash", "-c", script], env={**path, **environment}, check=True, cwd=folder / "runs")
    return (folder / "runs" / "told").read_text().splitlines()


def check_aurify(words: list[str]) -> None:
    at = words.index("-m")
    assert words[at + 1] == "aurify"
    assert "--resume" in words
    assert exit_status(build, [*words[at + 2 :], "--dry-run"]) == 0


def of(words: list[str], flag: str) -> str:
    return words[words.index(flag) + 1]


@pytest.fixture
def manifest() -> list[Any]:
    return list(yaml.safe_load_all(block("yaml")))


def test_the_slurm_script_starts_torchrun_on_every_node(tmp_path: Path) -> None:
    script = block("bash")
    asked = dict(line.removeprefix("#SBATCH --").split("=", 1) for line in re.findall(r"#SBATCH --\S+=\S+", script))
    assert asked["ntasks-per-node"] == "1", "torchrun starts the processes of a node"
    assert asked["signal"].startswith("TERM@"), "to the processes, not to the script alone (B:)"
    words = torchrun_words(
        script, tmp_path, SLURM_JOB_NODELIST="node[3-4]", SLURM_NNODES=asked["nodes"], SLURM_JOB_ID="77"
    )
    assert of(words, "--rdzv-endpoint") == "node3:29500"
    assert (of(words, "--nnodes"), of(words, "--nproc-per-node")) == (asked["nodes"], asked["gpus-per-node"])
    check_aurify(words)


def test_the_manifest_gives_the_pods_names_by_which_they_meet(manifest: list[Any]) -> None:
    service, job = manifest
    assert (service["kind"], job["kind"], job["apiVersion"]) == ("Service", "Job", "batch/v1")
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"]
    assert service["spec"]["clusterIP"] == "None"
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("index", [0, 1])
def test_a_pod_starts_torchrun_and_the_first_is_the_host(manifest: list[Any], tmp_path: Path, index: int) -> None:
    service, job = manifest
    (container,) = job["spec"]["template"]["spec"]["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert container["command"] == ["/bin/bash", "-c"]
    (script,) = container["args"]
    words = torchrun_words(script, tmp_path, JOB_COMPLETION_INDEX=str(index), **environment)
    (port,) = (one["port"] for one in service["spec"]["ports"])
    first = f"{job['metadata']['name']}-0.{service['metadata']['name']}"
    assert of(words, "--rdzv-endpoint") == f"{first}:{port}"
    assert of(words, "--nnodes") == str(job["spec"]["completions"])
    assert of(words, "--nproc-per-node") == str(container["resources"]["limits"]["nvidia.com/gpu"])
    assert of(words, "--rdzv-conf").split(",")[0] == f"is_host={str(index == 0).lower()}"
    check_aurify(words)
