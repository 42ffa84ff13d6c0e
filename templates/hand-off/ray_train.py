"""Runs train.py on a Ray cluster, on whose nodes this folder has one path. README.md has the command."""

import json
import sys
from pathlib import Path

from ray.train import ScalingConfig
from ray.train.torch import TorchTrainer

HERE = Path(__file__).resolve().parent


def work():
    sys.path.insert(0, str(HERE))
    import train

    train.main()


if __name__ == "__main__":
    workers = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))["processes"]
    TorchTrainer(work, scaling_config=ScalingConfig(num_workers=workers, use_gpu="--cpu" not in sys.argv)).fit()
