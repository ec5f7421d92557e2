"""Worker processes as the comparison sees them."""

import json
import os
import pathlib
import subprocess
import sys

PEERS = pathlib.Path(__file__).resolve().parent
CALM = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What FAISS calls the instruction sets that MEDRETRIEVAL_FORCE_ISA names. It reads the first variable where it comes as one
# library for each of them, the second where it chooses at run time.
FAISS_LEVELS = {"scalar": "NONE", "avx2": "AVX2", "avx512": "AVX512", "avx512_vbmi": "AVX512_VPOPCNT"}


def forced(isa):
    """Environment variables that hold medretrieval and FAISS to an instruction set; none for None."""
    if isa is None:
        return {}
    return {"MEDRETRIEVAL_FORCE_ISA": isa, "FAISS_OPT_LEVEL": isa, "FAISS_SIMD_LEVEL": FAISS_LEVELS[isa]}


class NotMeasured(Exception):
    """What a worker said instead of an answer."""


class Process:
    def __init__(self, system, folder, threads, isa=None):
        self.system = system
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"peers.run_{system}", str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PEERS.parent,
            env={**os.environ, **forced(isa), **{name: str(threads) for name in CALM}},
        )

    def ask(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker of {self.system} ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise NotMeasured(f"{self.system}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Systems:
    """One process a system, begun when first asked for; as a context it ends them all."""

    def __init__(self, folder, threads, isa=None):
        self.folder, self.threads, self.isa = folder, threads, isa
        self.running = {}

    def __getitem__(self, system):
        if system not in self.running:
            self.running[system] = Process(system, self.folder, self.threads, self.isa)
        return self.running[system]

    def stop(self, system):
        if system in self.running:
            self.running.pop(system).close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for system in list(self.running):
            self.stop(system)
