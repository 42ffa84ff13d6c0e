"""Adapters by PEFT 0.21.2 as users leave them, on golden models: what PEFT computes with each after loading it again, and
the configurations of every other method and of every LoRA option that changes the base or the arithmetic.

    python tests/oracles/peft_adapters.py host/models/tests/golden

Writes adapters/NAME/ for each adapter that is read, adapters/expected.json with the logits of the last position, and
adapters/refused.json with configurations that are refused; adapters/resized/ is refused too. transformers 5.24.0.
"""

import inspect
import json
import shutil
import sys
import warnings
from pathlib import Path

import peft
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

warnings.simplefilter("ignore")
GOLDEN = Path(sys.argv[1])
OUT = GOLDEN / "adapters"
IDS = [1, 65, 200, 33, 7, 120]
TIED, UNTIED = "llama-tied", "mistral-sharded"


def base(name):
    return AutoModelForCausalLM.from_pretrained(GOLDEN / name, dtype=torch.float32)


def lora(**settings):
    return LoraConfig(**({"r": 2, "lora_alpha": 5, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"} | settings))


def shake(model):
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if "lora_" in name and "magnitude" not in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2
        elif "magnitude" in name or "modules_to_save" in name or "trainable_tokens_delta" in name:
            parameter.data = parameter.data * (1 + 0.2 * torch.randn(parameter.shape, generator=generator))


def logits(model):
    with torch.no_grad():
        return [round(value, 6) for value in model.eval()(torch.tensor([IDS])).logits[0, -1, :40].tolist()]


ACCEPTED = {
    "list": (TIED, {}),
    "expression": (TIED, dict(target_modules=r".*layers\.[01]\.(self_attn\.(q|k)|mlp\.up)_proj")),
    "lookahead": (TIED, dict(target_modules=r"(?!.*layers\.0\.).*\.(?:q_proj|down_proj)$")),
    "all-linear": (TIED, dict(target_modules="all-linear", r=1)),
    "exclude-list": (TIED, dict(exclude_modules=["layers.0.self_attn.q_proj", "v_proj"])),
    "exclude-expression": (TIED, dict(exclude_modules=r".*\.1\..*q_proj")),
    "one-layer": (TIED, dict(layers_to_transform=1)),
    "layers-pattern": (TIED, dict(layers_to_transform=[0], layers_pattern="layers")),
    "patterns": (TIED, dict(rank_pattern={r"layers\.0\..*q_proj": 3, "q_proj|v_proj": 1}, alpha_pattern={"^model.layers.1.self_attn.v_proj": 9})),
    "layers-patterns": (TIED, dict(layers_to_transform=[1], layers_pattern=["blocks", "layers"], target_modules=["q_proj", "gate_proj"])),
    "rslora": (TIED, dict(use_rslora=True, rank_pattern={"v_proj": 4})),
    "dora-patterns": (TIED, dict(use_dora=True, rank_pattern={r"0\.self_attn\.(q|v)_proj": 1}, alpha_pattern={"layers.1.self_attn.q_proj": 3})),
    "no-init": (TIED, dict(init_lora_weights=False)),
    "dora": (TIED, dict(use_dora=True)),
    "dora-rslora-biases": ("qwen2", dict(use_dora=True, use_rslora=True, r=3)),
    "fan-in-fan-out": (TIED, dict(fan_in_fan_out=True)),
    "gaussian": (TIED, dict(init_lora_weights="gaussian")),
    "orthogonal": (TIED, dict(init_lora_weights="orthogonal")),
    "eva": (TIED, dict(init_lora_weights="eva")),
    "mica": (TIED, dict(init_lora_weights="mica")),
    "bias-without-biases": (TIED, dict(bias="lora_only")),
    "dropout": (TIED, dict(lora_dropout=0.5)),
    "modules-to-save": (UNTIED, dict(modules_to_save=["lm_head", "embed_tokens"], r=1)),
    "module-and-target": (UNTIED, dict(target_modules=["q_proj", "lm_head"], modules_to_save=["lm_head"], r=1)),
    "head": (UNTIED, dict(target_modules=["lm_head"], r=1)),
    "tokens": (UNTIED, dict(trainable_token_indices=[65, 7], r=1)),
    "tokens-of-head": (UNTIED, dict(trainable_token_indices={"embed_tokens": [65], "lm_head": [3, 4]}, r=1)),
    "tokens-tied": (TIED, dict(trainable_token_indices=[65, 3], r=1)),
}

REFUSED = {
    "init_lora_weights": [dict(init_lora_weights=name) for name in ["pissa", "pissa_niter_4", "olora", "PiSSA", "OLoRA"]] + [
        dict(init_lora_weights="loftq", loftq_config=peft.LoftQConfig()),
        dict(init_lora_weights="corda", corda_config=peft.tuners.lora.config.CordaConfig()),
        dict(init_lora_weights="lora_ga", lora_ga_config=peft.tuners.lora.config.LoraGAConfig())],
    "lora_bias": [dict(lora_bias=True)],
    "layer_replication": [dict(layer_replication=[(0, 2), (1, 2)])],
    "alora_invocation_tokens": [dict(alora_invocation_tokens=[5, 6])],
    "use_bdlora": [dict(use_bdlora=peft.tuners.lora.config.BdLoraConfig(target_modules_bd_a=["q_proj"], nblocks=2))],
    "kasa_config": [dict(kasa_config=peft.tuners.lora.config.KasaConfig())],
    "velora_config": [dict(velora_config=peft.tuners.lora.config.VeloraConfig())],
    "monteclora_config": [dict(monteclora_config=peft.tuners.lora.config.MontecloraConfig())],
    "arrow_config": [dict(arrow_config=peft.tuners.lora.config.ArrowConfig())],
    "use_qalora": [dict(use_qalora=True)],
    "megatron_config": [dict(megatron_config={"hidden_size": 32})],
    "task_type": [dict(task_type=name) for name in ["SEQ_CLS", "TOKEN_CLS", "SEQ_2_SEQ_LM", "FEATURE_EXTRACTION"]],
    "target_parameters": [dict(target_parameters=["mlp.experts.gate_up_proj"])],
}


def accepted():
    expected = {}
    for name, (model, settings) in ACCEPTED.items():
        folder = OUT / name
        tuned = get_peft_model(base(model), lora(**settings))
        shake(tuned)
        tuned.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        again = logits(PeftModel.from_pretrained(base(model), folder))
        assert again != logits(base(model)), name
        expected[name] = {"model": model, "logits": again}
    return expected


def embeddings(expected):
    """Embeddings that PEFT saves without `modules_to_save`."""
    for name, model in [("embeddings-tied", TIED), ("embeddings", UNTIED)]:
        tuned = get_peft_model(base(model), lora(r=1))
        shake(tuned)
        table = tuned.get_input_embeddings().weight
        table.data = table.data * (1 + 0.2 * torch.randn(table.shape, generator=torch.Generator().manual_seed(3)))
        tuned.save_pretrained(OUT / name, save_embedding_layers=True)
        (OUT / name / "README.md").unlink(missing_ok=True)
        expected[name] = {"model": model, "logits": logits(PeftModel.from_pretrained(base(model), OUT / name))}


def converted(expected):
    """PiSSA and OLoRA, written as plain LoRA of the unchanged base: what the refusal of the unconverted ones advises."""
    for name in ["pissa", "olora"]:
        config = lora(init_lora_weights=name)
        tuned = get_peft_model(base(TIED), config)
        start = GOLDEN / "start"
        tuned.peft_config["default"].init_lora_weights = True
        tuned.save_pretrained(start)
        tuned.peft_config["default"].init_lora_weights = name
        generator = torch.Generator().manual_seed(7)
        for key, parameter in tuned.named_parameters():
            if "lora_" in key:
                parameter.data = parameter.data + torch.randn(parameter.shape, generator=generator) * 0.1
        tuned.save_pretrained(OUT / f"converted-{name}", path_initial_model_for_weight_conversion=start)
        shutil.rmtree(start)
        (OUT / f"converted-{name}" / "README.md").unlink(missing_ok=True)
        again = logits(PeftModel.from_pretrained(base(TIED), OUT / f"converted-{name}"))
        assert max(abs(a - b) for a, b in zip(again, logits(tuned))) < 1e-4, name
        expected[f"converted-{name}"] = {"model": TIED, "logits": again}


def resized():
    """An adapter whose base has two more tokens, as for a chat format of its own; PEFT opens it on a base that has them."""
    model = base(UNTIED)
    model.resize_token_embeddings(model.config.vocab_size + 2)
    tuned = get_peft_model(model, lora(r=1))
    shake(tuned)
    tuned.save_pretrained(OUT / "resized", save_embedding_layers=True)
    (OUT / "resized" / "README.md").unlink(missing_ok=True)


def minimal(expected):
    """The fields that PEFT needs and no others, as hand-written adapters have them."""
    folder = OUT / "few-fields"
    folder.mkdir(exist_ok=True)
    shutil.copy(OUT / "list" / "adapter_model.safetensors", folder)
    fields = {"peft_type": "LORA", "r": 2, "lora_alpha": 5.0, "target_modules": ["q_proj", "v_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(fields))
    expected["few-fields"] = {"model": TIED, "logits": logits(PeftModel.from_pretrained(base(TIED), folder))}


def written(config):
    place = OUT / "config"
    config.base_model_name_or_path = "base"
    config.save_pretrained(place)
    text = json.loads((place / "adapter_config.json").read_text())
    shutil.rmtree(place)
    return text


def other_methods():
    """A configuration of every other method, with what its class insists on."""
    insist = {"num_virtual_tokens": 4, "adapter_layers": 1, "adapter_len": 4, "target_modules": ["q_proj"], "total_step": 10,
              "hidden_size": 32, "num_attention_heads": 4, "adapters": {"a": "a"}, "task_type": "CAUSAL_LM",
              "feedforward_modules": []}
    found = {}
    for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items():
        kind = getattr(kind, "value", kind)
        if kind == "LORA":
            continue
        known = inspect.signature(config).parameters
        settings = {key: value for key, value in insist.items() if key in known}
        try:
            found[kind] = written(config(**settings))
        except Exception as error:  # A method that needs more than a default has its type alone.
            print(kind, error)
            found[kind] = {"peft_type": kind}
    return found


OUT.mkdir(exist_ok=True)
expected = accepted()
embeddings(expected)
converted(expected)
resized()
minimal(expected)
(OUT / "expected.json").write_text(json.dumps({"ids": IDS, "adapters": expected}) + "\n")
options = {field: [written(lora(**settings)) for settings in all_settings] for field, all_settings in REFUSED.items()}
(OUT / "refused.json").write_text(json.dumps({"options": options, "methods": other_methods()}) + "\n")
