"""Trains with TRL as settings.json says, on rows that are tokenized and ordered already. README.md has the command."""

import json
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from datasets import Dataset
from peft import PeftModel, prepare_model_for_kbit_training
from peft.optimizers import create_loraplus_optimizer
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, Trainer, TrainerCallback
from trl import SFTConfig, SFTTrainer

HERE = Path(__file__).resolve().parent


class SaveEveryEpoch(TrainerCallback):
    """Keeps a checkpoint of every epoch beside those of `save_steps`: the rows of all epochs are one sequence."""

    def __init__(self, steps):
        self.steps = steps

    def on_step_end(self, args, state, control, **kwargs):
        if self.steps and state.global_step % self.steps == 0:
            control.should_save = True


def load_rows(name):
    path = HERE / f"{name}.parquet"
    return Dataset.from_parquet(str(path), cache_dir=str(HERE / "cache")) if path.exists() else None


def load_model(settings):
    kwargs = {"dtype": settings["dtype"]}
    if "quantization" in settings:
        kwargs["quantization_config"] = BitsAndBytesConfig(**settings["quantization"])
        if torch.cuda.is_available():
            kwargs["device_map"] = {"": PartialState().local_process_index}
    model = AutoModelForCausalLM.from_pretrained(settings["base"], **kwargs)
    if "quantization" in settings:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if settings["adapter"]:
        model = PeftModel.from_pretrained(model, HERE / settings["adapter"], is_trainable=True)
    return model


def lora_plus(model, arguments, ratio):
    """LoRA+ as PEFT makes it, with the optimizer that the arguments name."""
    optimizer, kwargs = Trainer.get_optimizer_cls_and_kwargs(arguments)
    return create_loraplus_optimizer(
        model, optimizer, loraplus_lr_ratio=ratio, loraplus_weight_decay=arguments.weight_decay, **kwargs
    )


def main():
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    training = settings["training"]
    arguments = SFTConfig(**training | {"output_dir": str(HERE / training["output_dir"])})
    if arguments.world_size != settings["processes"]:
        sys.exit(f"started with {arguments.world_size} processes; the rows are laid out for {settings['processes']}")
    model = load_model(settings)
    optimizer = lora_plus(model, arguments, settings["lora_plus_ratio"]) if "lora_plus_ratio" in settings else None
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=load_rows("rows"),
        eval_dataset=load_rows("held_out"),
        processing_class=AutoTokenizer.from_pretrained(HERE / "tokenizer"),
        callbacks=[SaveEveryEpoch(settings.get("steps_per_epoch"))],
        optimizers=(optimizer, None),
    )
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # the trainer makes bf16 of an adapter on a quantized base
    trainer.train(resume_from_checkpoint="--resume" in sys.argv[1:])
    trainer.save_model()
    trainer.save_state()


if __name__ == "__main__":
    main()
