"""What Axolotl's configuration has no key for. README.md has the command, which puts this folder on Python's path."""

from axolotl.integrations.base import BasePlugin


class ExactPlugin(BasePlugin):
    """Settings of the trainer that Axolotl sets itself."""

    def get_training_args(self, cfg):
        return {
            # A step's loss is a mean over all of its trained tokens, whichever process has them.
            "average_tokens_across_devices": True,
            # Axolotl makes two steps of a warm-up of one.
            "warmup_steps": cfg.warmup_steps,
            "data_seed": cfg.seed,
        }
