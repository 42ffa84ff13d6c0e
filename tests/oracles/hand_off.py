"""Trains tiny models with TRL, Axolotl and LLaMA-Factory from what `diapason hand-off` writes, for tests/hand_off.rs.

    python tests/oracles/hand_off.py trl target/release/diapason           with the trainer's own Python
    python tests/oracles/hand_off.py axolotl target/release/diapason
    python tests/oracles/hand_off.py llama-factory target/release/diapason

Each case is a project; the trainer is started by the command of the README.md that was handed over. The losses that it
reports go to hand_off.json, with the rows that it read. QLoRA is not among them: on a CPU bitsandbytes 0.50.2 takes the
wrong constants where layers are narrower than a block of 64, as those of these models are. Afterwards Diapason opens the adapter or model that came back.

Written with trl 1.16.0, transformers 5.24.0 and peft 0.21.2; axolotl 0.19.0; llamafactory 0.9.5; torch 2.15 on a CPU.
"""

import importlib
import json
import os
import random
import runpy
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

QUIET = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1", "WANDB_DISABLED": "true"}
os.environ |= QUIET | {"CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}
HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "hand_off.json"
MODELS = HERE.parents[1] / "host/models/tests/golden"
TEMPLATE = """{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}</s>{% else %}={% endif %}{% endfor %}"""
COMMON = """batch_size = 3
gradient_accumulation = 2
compute = "f32"
logging_steps = 1
learning_rate = 1e-2
dropout = 0
max_sequence_length = 64
"""
LORA = "rank = 4\nalpha = 8\nepochs = 3\n"
#        name       model           [train]                                                   trainers          GPUs, nodes
CASES = {
    "lora": ("qwen2", LORA + 'schedule = "cosine"\nwarmup = 0.2\nweight_decay = 0.01\n', ["trl", "axolotl", "llama-factory"], 1),
    "two-processes": ("qwen2", LORA + 'schedule = "linear"\nmax_steps = 7\nmax_gradient_norm = 0\n', ["trl", "axolotl", "llama-factory"], 2),
    "packed": ("llama-tied", LORA + "packing = true\ngradient_checkpointing = true\n", ["trl"], 1),
    "packed-on-two": ("llama-tied", LORA + "packing = true\n", ["trl"], 2),
    "patterns": (
        "llama-biases",
        LORA + 'schedule = "wsd"\ndecay = 0.5\nrslora = true\nmodules_to_save = ["lm_head"]\ntarget_modules = ["q_proj", "up_proj"]\n'
        'rank_pattern = { "layers.0.self_attn.q_proj" = 3, q_proj = 2 }\nalpha_pattern = { q_proj = 5 }\n',
        ["trl", "axolotl", "llama-factory"],
        1,
    ),
    "lora-plus": ("qwen3", LORA + 'schedule = "constant"\nlora_plus_ratio = 4\n', ["trl", "axolotl", "llama-factory"], 1),
    "dora": ("qwen3", LORA + "dora = true\ngradient_checkpointing = true\n", ["trl", "axolotl", "llama-factory"], 1),
    "full": ("llama-tied", 'method = "full"\nepochs = 2\nlearning_rate = 1e-3\nweight_decay = 0.1\n', ["trl", "axolotl", "llama-factory"], 1),
}


def data():
    rng = random.Random(5)
    word = lambda: "".join(rng.choice("abcdefgh ") for _ in range(rng.randint(1, 12))).strip() or "a"
    turns = lambda count: [{"role": role, "content": word()} for _ in range(count) for role in ("user", "assistant")]
    rows = [{"messages": turns(1 if number < 23 else 2)} for number in range(26)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def configuration(model, train):
    own = {line.split(" = ")[0] for line in train.splitlines()}
    common = "".join(line + "\n" for line in COMMON.splitlines() if line.split(" = ")[0] not in own)
    return (
        f'validator = []\n[model]\npath = "{model}"\ndevice = "cpu"\n[data]\ntrain = "train.jsonl"\nheld_out = 0.1\n'
        f'[template]\ntemplate = "./t.jinja"\n[run]\nfolder = "run"\nseed = 7\n[train]\n{common}{train}'
    )


#           started by                                             imported beforehand
STARTS = {"trl": (["train.py"], ["trl", "peft"]),
          "axolotl": (["-m", "axolotl.cli.train", "axolotl.yaml"], ["axolotl.cli.train", "axolotl.core.builders"]),
          "llama-factory": (["-m", "llamafactory.cli", "train", "llama-factory.yaml"], ["llamafactory.train.tuner"])}


def run_module(arguments):
    """What `python` does with these arguments."""
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        return runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    sys.argv = arguments
    return runpy.run_path(arguments[0], run_name="__main__")


def start(tool, hand, processes, log):
    """Starts the trainer as README.md says, in a process that has imported it already where one is enough."""
    arguments, imports = STARTS[tool]
    os.environ["PYTHONPATH"] = str(hand)
    if tool == "llama-factory":
        subprocess.run([sys.executable, "prepare.py"], cwd=hand, check=True)
    if processes > 1:
        many = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        launch = {"FORCE_TORCHRUN": "1", "NPROC_PER_NODE": str(processes), "ACCELERATE_USE_CPU": "true"}
        whole = [sys.executable, *([] if tool == "llama-factory" else many), *arguments]
        return subprocess.run(whole, cwd=hand, env=os.environ | launch, stdout=log, stderr=subprocess.STDOUT).returncode
    for module in imports:
        importlib.import_module(module)
    child = os.fork()
    if child == 0:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        os.chdir(hand)
        sys.path.insert(0, str(hand))
        try:
            run_module(arguments)
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def losses(output):
    states = sorted(output.glob("**/trainer_state.json"), key=lambda path: len(json.loads(path.read_text())["log_history"]))
    history = json.loads(states[-1].read_text())["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


def rows(hand):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(hand / "rows.parquet")
    return {name: table[name].to_pylist() for name in table.column_names}


def case(name, tool, diapason):
    model, train, _, processes = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run(["cp", "-r", MODELS / model, folder / "model"], check=True)
        config = json.loads((folder / "model/config.json").read_text())
        # LLaMA-Factory computes in the format that is named here; the weights' own is another matter.
        (folder / "model/config.json").write_text(json.dumps(config | {"dtype": "float32"}))
        # transformers opens no tokenizer whose special tokens are objects, as these tests' models have them; and the class
        # of a family adds its default tokens where none are named.
        tokenizer = json.loads((folder / "model/tokenizer_config.json").read_text())
        plain = {key: value["content"] if key.endswith("_token") and isinstance(value, dict) else value for key, value in tokenizer.items()}
        (folder / "model/tokenizer_config.json").write_text(json.dumps(plain | {"pad_token": "</s>", "unk_token": "</s>"}))
        (folder / "train.jsonl").write_text(data())
        (folder / "t.jinja").write_text(TEMPLATE)
        (folder / "diapason.toml").write_text(configuration("model", train))
        hand = folder / "hand"
        subprocess.run([diapason, "hand-off", tool, "--out", hand, "--gpus", str(processes)], cwd=folder, check=True)
        with (folder / "log").open("w") as log:
            code = start(tool, hand, processes, log)
        if code:
            sys.exit(f"{name}, {tool}: failed\n" + (folder / "log").read_text()[-6000:])
        back = ["--model", hand / "output"] if 'method = "full"' in train else ["--model", folder / "model", "--adapter", hand / "output"]
        asked = subprocess.run([diapason, "generate", *back, "--prompt", "ab", "--raw", "--max-tokens", "4"], capture_output=True)
        if asked.returncode:
            sys.exit(f"{name}, {tool}: Diapason does not open what came back: {asked.stderr.decode()}")
        return {"losses": losses(hand / "output")} | ({"rows": rows(hand)} if name in ("lora", "packed") else {})


def main():
    tool, diapason = sys.argv[1], Path(sys.argv[2]).resolve()
    chosen = sys.argv[3:] or [name for name, (_, _, tools, _) in CASES.items() if tool in tools]
    for name in chosen:
        model, train, _, processes = CASES[name]
        found = case(name, tool, diapason)
        print(name, tool, found["losses"], flush=True)
        golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        golden |= {"data": data(), "template": TEMPLATE}
        entry = golden.setdefault("cases", {}).setdefault(name, {})
        entry |= {"model": model, "config": configuration("model", train), "processes": processes}
        entry.setdefault("trainers", {})[tool] = found
        GOLDEN.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
