"""Two nodes on one machine: each a network namespace with an address of its own, torchrun on both, and what breaks.

    sudo .venv/bin/python bench/nodes.py --out found.jsonl      # Linux, root, iproute2; prints a table

Two namespaces are joined by a pair of virtual interfaces. Each has ``torchrun --nnodes 2 --max-restarts 3``, which
starts one process of a run of the embedded model that saves every step. The run is left alone once; then

- killed: the process of the second node is killed; torchrun starts both again;
- node: the second node dies, its torchrun too, and is started again, as a cluster would do it;
- link: the link is taken down until both processes have ended, and set up again; what torchrun has given up is started
  again.

"ended" are the seconds until no process of the run that was there before is left. In the end the rows of the table,
weights and moments must be, by hash, those of the run that was left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
PORT = 29517
NODES = ("aurify-a", "aurify-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
INTERFACES = ("aurify-va", "aurify-vb")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def lay() -> None:
    """Two namespaces and the link between them."""
    remove()
    for node in NODES:
        ip("netns", "add", node)
    ip("link", "add", INTERFACES[0], "type", "veth", "peer", "name", INTERFACES[1])
    for node, address, interface in zip(NODES, ADDRESSES, INTERFACES, strict=True):
        ip("link", "set", interface, "netns", node)
        ip("-n", node, "addr", "add", f"{address}/24", "dev", interface)
        ip("-n", node, "link", "set", "lo", "up")
        ip("-n", node, "link", "set", interface, "up")


def remove() -> None:
    for node in NODES:
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", node)


class Node:
    """A machine that runs torchrun."""

    def __init__(self, number: int, words: list[str], log: Path) -> None:
        self.number, self.words, self.log = number, words, log
        self.start()

    def start(self) -> None:
        place = f"--rdzv-backend c10d --rdzv-endpoint {ADDRESSES[0]}:{PORT} --rdzv-conf is_host={int(not self.number)}"
        run = f"--nnodes 2 --nproc-per-node 1 {place} --rdzv-id aurify --local-addr {ADDRESSES[self.number]}"
        command = ["ip", "netns", "exec", NODES[self.number], sys.executable, "-m", "torch.distributed.run"]
        command += [*run.split(), "--max-restarts", "3", "-m", "aurify", *self.words]
        environment = {
            **os.environ, "GLOO_SOCKET_IFNAME": INTERFACES[self.number], "ACCELERATE_USE_CPU": "true",
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        with self.log.open("ab") as output:
            self.agent = psutil.Popen(command, stdout=output, stderr=output, env=environment)

    def ranks(self) -> list[psutil.Process]:
        """The processes of the run; their watchers are not among them."""
        with suppress(psutil.NoSuchProcess):
            return [one for one in self.agent.children(recursive=True) if "aurify" in one.cmdline()]
        return []

    def kill(self) -> None:
        """All of the node, at once."""
        with suppress(psutil.NoSuchProcess):
            for one in [*self.agent.children(recursive=True), self.agent]:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
        self.agent.wait()


def steps(out: Path) -> int:
    file = out / "metrics.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return max((json.loads(line)["step"] for line in lines if '"updated"' in line), default=0)


def ended(before: list[psutil.Process], begun: float) -> float:
    """Seconds until the last of them has ended; one that torchrun, cut off too, has not fetched yet has ended."""
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in before):
        if time.monotonic() - begun > 120:
            raise SystemExit("a process did not end")
        time.sleep(0.05)
    return time.monotonic() - begun


def trial(fault: str, folder: Path, words: list[str]) -> dict[str, Any]:
    """A run that is broken in its middle, to its end."""
    from golden_parts.left import of_folder

    out = folder / fault
    lay()
    nodes = [
        Node(number, [*words, "--out", str(out), "--resume"], folder / f"{fault}-{number}.log") for number in (0, 1)
    ]
    found: dict[str, Any] = {"fault": fault}
    try:
        if fault != "none":
            while steps(out) < 3:
                if any(node.agent.poll() is not None for node in nodes):
                    raise SystemExit(nodes[0].log.read_text()[-3000:])
                time.sleep(0.05)
            before = [one for node in nodes for one in node.ranks()]
            begun = time.monotonic()
            found["at step"] = steps(out)
            if fault == "killed":
                nodes[1].ranks()[0].kill()
            elif fault == "node":
                nodes[1].kill()
            else:
                ip("-n", NODES[1], "link", "set", INTERFACES[1], "down")
            found["ended"] = ended(before, begun)
            if fault == "link":
                ip("-n", NODES[1], "link", "set", INTERFACES[1], "up")
        deadline = time.monotonic() + 1200
        while not (out / "model").exists() and time.monotonic() < deadline:
            for node in nodes:
                if node.agent.poll() not in (None, 0):  # a cluster starts what has ended
                    found["started again"] = found.get("started again", 0) + 1
                    node.start()
            time.sleep(0.2)
        for node in nodes:
            node.agent.wait(120)
        left = of_folder(out)
        found["left"] = {name: left[name] for name in ("weights", "optimizer", "rationales", "chains")}
        found["steps"] = steps(out)
        said = "".join(file.read_text(errors="replace") for file in folder.glob(f"{fault}-*.log"))
        found["said"] = sorted({line for line in said.splitlines() if line.startswith("aurify: rank")})
    finally:
        for node in nodes:
            node.kill()
        remove()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=["none", "killed", "node", "link"])
    asked = parser.parse_args()
    from aurify.nugget import generate, json_line

    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = folder / "counting.jsonl"
        data.write_text("".join(map(json_line, generate("object_counting", 24, seed=5))))
        words = [
            "train", "trice", "--model", "nugget", "--data", str(data), "--steps", "8", "--questions", "5",
            "--save-every", "1", "--holdout", "0", "--max-new-tokens", "60", "--memory", "guide", "--lr", "5e-4",
        ]  # fmt: skip
        for fault in asked.only:
            rows.append(trial(fault, folder, words))
            with asked.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print({key: value for key, value in rows[-1].items() if key != "left"}, file=sys.stderr)
    print("| broken | at step | ended, s | said | the same end |\n| --- | --- | --- | --- | --- |")
    for row in rows[1:]:
        said = "; ".join(line.removeprefix("aurify: ") for line in row["said"])
        same = "yes" if row["left"] == rows[0]["left"] else "**no**"
        print(f"| {row['fault']} | {row['at step']} | {row['ended']:.0f} | {said} | {same} |")


if __name__ == "__main__":
    main()
