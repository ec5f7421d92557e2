"""Plots of a run: recall against queries a second, and latency against gallery size."""

import pathlib

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def finish(figure, axes, path):
    axes.grid(True, which="both", linewidth=0.4, alpha=0.5)
    axes.legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def recall_curves(curves, title, path):
    """`curves`: index name -> [(recall, seconds a query)]; medretrieval's begin with 'ours: '."""
    figure, axes = pyplot.subplots(figsize=(8, 5.5))
    for name, points in sorted(curves.items(), key=lambda each: not each[0].startswith("ours")):
        recalls, seconds = zip(*sorted(points))
        ours = name.startswith("ours")
        axes.plot(recalls, [1 / each for each in seconds], marker="o", markersize=5 if ours else 3,
                  linewidth=2.2 if ours else 1.0, linestyle="-" if ours else "--", label=name)
    axes.set(xlabel="recall10@10", ylabel="queries a second, batch, 1 thread", yscale="log", title=title)
    finish(figure, axes, path)


def latency_by_size(series, path):
    """`series`: name -> [(items, microseconds of a lone query)]."""
    figure, axes = pyplot.subplots(figsize=(8, 5.5))
    for name, points in series.items():
        items, latency = zip(*sorted(points))
        axes.plot(items, latency, marker="o", label=name)
    axes.set(xlabel="items in the gallery", ylabel="microseconds, lone query, 1 thread", xscale="log", yscale="log",
             title="One class at recall 0.95")
    finish(figure, axes, path)


def series_by_size(rows):
    """The lone cascade rows of one thread, by system."""
    series = {}
    for row in rows:
        parts = row["row"].split()
        if parts[0] != "cascade" or row["threads"] != 1:
            continue
        for name, field in (("medretrieval", "ours_us"), ("FAISS parts", "peer_us")):
            if row[field] is not None:
                series.setdefault(name, []).append((int(parts[1]), row[field]))
    return series


def draw(folder, curves, rows):
    """Writes what there is to draw as PNG files; returns their paths."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    if curves:
        paths.append(folder / "recall_against_speed.png")
        recall_curves(curves, "Approximate search", paths[-1])
    series = series_by_size(rows)
    if series:
        paths.append(folder / "latency_against_items.png")
        latency_by_size(series, paths[-1])
    return paths
