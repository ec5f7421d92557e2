"""Prepares the data, runs medretrieval and its peers in alternation, checks the answers and prints the ratios."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import numpy as np

from peers import data, rows

PEERS = pathlib.Path(__file__).resolve().parent


class Process:
    """A worker process."""

    def __init__(self, system, folder, threads):
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"peers.run_{system}", str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PEERS.parent,
        )

    def ask(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended with status {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def train_codes(folder, row):
    """Trains the encoder of a row and writes its codes, so that every system scans the same ones."""
    import medretrieval as mr

    path = folder / row["encoder"]
    if path.exists():
        return
    kind, options = row["train"]
    training = np.load(folder / "training.npy")
    encoder = mr.train_encoder(kind, training, **options)
    np.save(str(path) + ".codes.npy", encoder.encode(np.load(folder / "base.npy")))
    np.save(str(path) + ".query_codes.npy", encoder.encode(np.load(folder / "queries.npy")))
    if "subspaces" in options:
        entries = 2 ** options["bits_per_entry"]
        codes = np.empty((entries, options["subspaces"] * options["bits_per_entry"] // 8), np.uint8)
        codes[:] = np.arange(entries)[:, None] * (17 if entries == 16 else 1)
        decoded = encoder.reconstruct(codes)
        np.save(str(path) + ".centroids.npy",
                decoded.reshape(entries, options["subspaces"], -1).transpose(1, 0, 2).astype(np.float32))
    path.write_bytes(encoder.to_bytes())


def same_distances(first, second, tolerance):
    """Whether both found the same distances; ids may differ where distances are tied."""
    return bool(np.allclose(first["distances"], second["distances"], rtol=tolerance, atol=tolerance))


def measure(row, folder, threads, rounds):
    train_codes(folder, row)
    ours, peer = (Process(system, folder, threads) for system in ("ours", row["peer"]))
    answers = {}
    for name, process in (("ours", ours), ("peer", peer)):
        row["answers"] = str(folder / f"answers-{name}.npz")
        process.ask(do="prepare", **row)
        answers[name] = np.load(row["answers"])
    ratios, times = [], {"ours": [], "peer": []}
    for _ in range(rounds):
        for name, process in (("ours", ours), ("peer", peer)):
            times[name].append(process.ask(do="run")["seconds"])
        ratios.append(times["peer"][-1] / times["ours"][-1])
    ours.close()
    peer.close()
    return {
        "row": row["name"],
        "target": row["target"],
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "ours_us": statistics.median(times["ours"]) * 1e6,
        "peer_us": statistics.median(times["peer"]) * 1e6,
        "peer": row["peer_name"],
        "threads": threads,
        "same_ids": same_distances(answers["ours"], answers["peer"], row["tolerance"]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="/tmp/medretrieval-versus", help="where arrays are kept")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    folder = data.prepare(arguments.folder, arguments.items)
    results = []
    print(f"{'row':34} thr {'peer':18} {'ours us':>10} {'peer us':>10}  ratio [min, max]     target  same")
    for threads in arguments.threads:
        for row in rows.all_rows():
            if arguments.only not in row["name"]:
                continue
            result = measure(row, folder, threads, arguments.rounds)
            results.append(result)
            print(
                f"{result['row']:34} {threads:3} {result['peer']:18} {result['ours_us']:10.1f} {result['peer_us']:10.1f}"
                f"  {result['ratio_median']:5.2f} [{result['ratio_min']:.2f}, {result['ratio_max']:.2f}]"
                f"  {row['target']:6.1f}  {result['same_ids']}",
                flush=True,
            )
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
