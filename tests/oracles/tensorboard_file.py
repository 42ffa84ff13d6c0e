"""Reads a run's event file with TensorBoard's own reader and compares it with train.jsonl: `tensorboard_file.py RUN`."""

import json
import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = Path(sys.argv[1])
board = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
board.Reload()

expected = {}
for line in (run / "train.jsonl").read_text().splitlines():
    event = json.loads(line)
    if event["event"] == "step":
        figures = {f"train/{name}": event[name] for name in ["loss", "learning_rate", "gradient_norm", "epoch"]}
        figures["train/tokens_per_second"] = event["tokens"] / event["seconds"]
    else:
        figures = {f"eval/{event['metric']}": event["value"]}
    for tag, value in figures.items():
        expected.setdefault(tag, []).append((event["step"], value))

tags = set(board.Tags()["scalars"])
if tags != set(expected):
    sys.exit(f"tags differ: {sorted(tags)} and {sorted(expected)}")
for tag, points in expected.items():
    found = [(scalar.step, scalar.value) for scalar in board.Scalars(tag)]
    same = len(found) == len(points) and all(
        a[0] == b[0] and math.isclose(a[1], b[1], rel_tol=1e-6) for a, b in zip(found, points)
    )
    if not same:
        sys.exit(f"{tag} differs: {found[:3]} and {points[:3]}")
print(f"{len(expected)} tags, {sum(map(len, expected.values()))} values: the same")
