"""One measurement of the Python side in a process of its own: what benchmark_network is to ours."""

import argparse
import json
import time

import torch
from torch.nn import functional

from deep.networks import PRESETS

CLASSES = 2
OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, 1e-4, weight_decay=1e-4),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 1e-4, weight_decay=1e-4),
    "sgd": lambda parameters: torch.optim.SGD(parameters, 1e-4, momentum=0.9, weight_decay=1e-4),
}


def loss_of(output, images, classes, targets):
    """Cross-entropy, central similarity, and a decoder's loss where there is one."""
    _, hashed, logits, picture = output
    loss = functional.cross_entropy(logits, classes)
    loss = loss + functional.softplus(-2 * targets[classes] * hashed).mean()
    loss = loss + 1e-4 * (torch.tanh(hashed).abs() - 1).pow(2).mean()
    if picture is not None:
        loss = loss + functional.binary_cross_entropy_with_logits(picture, images)
        loss = loss + functional.mse_loss(torch.sigmoid(picture), images)
    return loss


class Trainer:
    def __init__(self, network, bits, optimizer):
        self.network = network.train()
        self.optimizer = OPTIMIZERS[optimizer]([p for p in network.parameters() if p.requires_grad])
        self.targets = torch.randint(0, 2, (CLASSES, bits)) * 2.0 - 1

    def step(self, images, classes):
        self.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(self.network(images), images, classes, self.targets)
        value = loss.item()
        loss.backward()
        self.optimizer.step()
        return value


def measured(action, images, seconds):
    """Images a second of wall clock and of processor time, after one run to warm up."""
    action()
    wall, processor, runs = time.perf_counter(), time.process_time(), 0
    while runs < 2 or time.perf_counter() - wall < seconds:
        action()
        runs += 1
    done = runs * images
    return {"wall": done / (time.perf_counter() - wall), "cpu": done / (time.process_time() - processor)}


def run(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    network = PRESETS[options.preset](options.bits, CLASSES)
    bits = options.bits * (3 if options.preset == "fcdn" else 1)
    rows = [torch.rand(options.side, options.side) for _ in range(4 * options.batch)]
    classes = torch.arange(4 * options.batch) % CLASSES
    batches = [slice(first, first + options.batch) for first in range(0, 4 * options.batch, options.batch)]

    def gathered(part):
        return torch.stack(rows[part]).unsqueeze(1)

    def epoch():
        for part in batches:
            trainer.step(gathered(part), classes[part])

    def extract():
        with torch.inference_mode():
            for part in batches:
                features, _, logits, _ = network(gathered(part))
                features.numpy().copy(), logits.softmax(1).numpy().copy()

    if options.mode == "extract":
        network.eval()
        return measured(extract, len(rows), options.seconds)
    trainer = Trainer(network, bits, options.optimizer)
    if options.mode == "epoch":
        return measured(epoch, len(rows), options.seconds)
    images, labels = gathered(batches[0]), classes[batches[0]]
    return measured(lambda: trainer.step(images, labels), options.batch, options.seconds)


def check(file, options):
    """The same architecture: our weights fit under their names and give our outputs."""
    stored = torch.load(file)
    network = PRESETS[options.preset](options.bits, CLASSES)
    network.load_state_dict({name[7:]: value for name, value in stored.items() if name.startswith("weight.")})
    network.eval()
    with torch.inference_mode():
        output = network(stored["images"])
    for name, ours, theirs in zip(("features", "hash", "logits"), (stored["features"], stored["hash"], stored["logits"]), output):
        scale = ours.abs().max()
        assert (ours - theirs).abs().max() <= 1e-4 * scale, f"{options.preset}: {name} differ"
    return {"parameters": sum(p.numel() for p in network.parameters() if p.requires_grad)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["step", "epoch", "extract", "check"])
    parser.add_argument("preset", choices=PRESETS)
    for name in ("side", "batch", "threads"):
        parser.add_argument(name, type=int)
    parser.add_argument("optimizer", choices=OPTIMIZERS)
    parser.add_argument("seconds", type=float)
    parser.add_argument("file", nargs="?")
    options = parser.parse_args()
    options.bits = 64
    print(json.dumps(check(options.file, options) if options.mode == "check" else run(options)))


if __name__ == "__main__":
    main()
