"""Which parameters decay (transformers' trainer) and which are faster in LoRA+ (PEFT), for a small Qwen3 with DoRA.

    python tests/oracles/optimizer_groups.py

Printed by transformers 5.24.0 and PEFT 0.21.2; the table in host/nn/src/optim/mod.rs is made of it.
"""

import torch
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from transformers import Qwen3Config, Qwen3ForCausalLM, Trainer

shape = dict(vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
             num_key_value_heads=1, head_dim=8, tie_word_embeddings=False)


def model():
    torch.manual_seed(0)
    return Qwen3ForCausalLM(Qwen3Config(**shape))


decay = Trainer.get_decay_parameter_names
print("full training")
base = model()
names = decay(None, base)
for name, parameter in base.named_parameters():
    print(f"  {name:60} {list(parameter.shape)!s:10} decays {name in names}")

print("DoRA with modules_to_save, LoRA+ of ratio 16 and loraplus_weight_decay 0.01")
tuned = get_peft_model(model(), LoraConfig(r=2, target_modules=["q_proj"], use_dora=True,
                                           modules_to_save=["lm_head", "embed_tokens"], task_type="CAUSAL_LM"))
optimizer = create_loraplus_optimizer(tuned, torch.optim.AdamW, lr=1.0, loraplus_lr_ratio=16, loraplus_weight_decay=0.01)
groups = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
names = decay(None, tuned)
for name, parameter in tuned.named_parameters():
    if parameter.requires_grad:
        group = groups[id(parameter)]
        print(f"  {name:90} trainer decays {name in names}, rate {group['lr']}, decay {group['weight_decay']}")
