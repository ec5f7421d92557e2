"""Training and encoding under measurement: medretrieval and FAISS in turns, in one process."""

import numpy as np

from peers import worker


class Training(worker.Worker):
    def measure(self, message):
        from peers import training

        training.use_threads(self.threads)
        works = {name: work for name, _, work in training.works()}
        features = np.load(self.folder / "training.npy")
        return works[message["name"]](features, self.threads, message["rounds"])


if __name__ == "__main__":
    worker.main(Training)
