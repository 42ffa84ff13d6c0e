"""What Axolotl's configuration has no key for. README.md has the command, which puts this folder on Python's path."""

from axolotl.integrations.base import BasePlugin


class ExactPlugin(BasePlugin):
    """Settings of the trainer that Axolotl makes itself."""

    def get_training_args(self, cfg):
        return {
            # A step's loss is a mean over all of its trained tokens, whichever process has them.
            "average_tokens_across_devices": True,
            # Axolotl makes two steps of a warm-up of one.
            "warmup_steps": cfg.warmup_steps,
            "data_seed": cfg.seed,
        }

    def post_trainer_create(self, cfg, trainer):
        # And in whichever forward pass: Axolotl takes a mean of the passes' means.
        trainer.model_accepts_loss_kwargs = True
