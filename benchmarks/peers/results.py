"""Ratios with their spread, as lines of a table and as JSON."""

import json
import pathlib
import statistics

NEAR_READ_RATE = 0.9  # a scan that reads so near the machine's rate is bound by memory

HEADER = (f"{'row':38} thr {'peer':32} {'ours us':>9} {'peer us':>9} ratio [min, max]     target         "
          "recall        bytes/vector")


def ratios(peer, ours):
    """Median and range of the ratios of paired times; above 1 the second is faster."""
    each = [first / second for first, second in zip(peer, ours)]
    return {"ratio_median": statistics.median(each), "ratio_min": min(each), "ratio_max": max(each)}


def unpaired_ratios(peer, ours):
    """Of times taken one after the other: the range is the widest that they allow."""
    return {"ratio_median": statistics.median(peer) / statistics.median(ours), "ratio_min": min(peer) / max(ours),
            "ratio_max": max(peer) / min(ours)}


def result(row, target, threads, peer, ratio=None, **more):
    """One row of the JSON file. Ratios are None where nothing could be measured; `note` says why."""
    empty = {"ratio_median": None, "ratio_min": None, "ratio_max": None}
    fields = {"row": row, "target": target, **(ratio or empty), "peer": peer, "threads": threads, "recall_ours": None,
              "recall_peer": None, "same_ids": None, "ours_us": None, "peer_us": None, "ours_us_range": None,
              "bytes_ours": None, "bytes_peer": None, "ours_settings": None, "peer_settings": None,
              "read_share": None, "note": ""}
    return {**fields, **more}


def verdict(each):
    if each["ratio_median"] is None:
        return "not measured" if each["ours_us"] is None or each["target"] is not None else "no peer"
    if each["target"] is None:
        return "no target"
    if each["ratio_median"] < each["target"]:
        return "read rate" if (each["read_share"] or 0) >= NEAR_READ_RATE else "SHORT"
    return "see note" if each["note"] else "met"


def number(value, form):
    return format(value, form) if value is not None else "-"


def line(each):
    ratio = "-"
    if each["ratio_median"] is not None:
        ratio = f"{each['ratio_median']:.2f} [{each['ratio_min']:.2f}, {each['ratio_max']:.2f}]"
    if each["recall_ours"] is not None:
        quality = f"{each['recall_ours']:.3f}/{number(each['recall_peer'], '.3f')}"
    else:
        quality = "" if each["same_ids"] is None else "same" if each["same_ids"] else "DIFFERENT ANSWERS"
    size = f"{number(each['bytes_ours'], '.0f')}/{number(each['bytes_peer'], '.0f')}"
    text = (f"{each['row']:38} {each['threads']:3} {each['peer'] or '-':32} {number(each['ours_us'], '.1f'):>9} "
            f"{number(each['peer_us'], '.1f'):>9} {ratio:20} {number(each['target'], '.2f'):>5} {verdict(each):12} "
            f"{quality:13} {size if size != '-/-' else ''}")
    more = [f"{side}: {each[side + '_settings']}" for side in ("ours", "peer") if each[side + "_settings"]]
    if each["read_share"] is not None:
        more.append(f"reads its codes at {each['read_share']:.2f} of the rate of a plain sum")
    more += [f"note: {each['note']}"] if each["note"] else []
    return "\n".join([text.rstrip(), *(f"{'':6}{one}" for one in more)])


def summary(rows):
    counts = {}
    for each in rows:
        counts[verdict(each)] = counts.get(verdict(each), 0) + 1
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "no rows"


def write(path, rows):
    pathlib.Path(path).write_text(json.dumps(rows, indent=1) + "\n")
