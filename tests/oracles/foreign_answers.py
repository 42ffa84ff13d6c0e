"""Makes the files of host/project/tests/golden/foreign: answers as other tools write them, made by the tools themselves.

    python tests/oracles/foreign_answers.py rows FOLDER       # any Python: the suites
    python tests/oracles/foreign_answers.py harness FOLDER    # lm-eval, torch, transformers
    python tests/oracles/foreign_answers.py inspect FOLDER    # inspect-ai
    python tests/oracles/foreign_answers.py promptfoo FOLDER  # Node with promptfoo's `promptfoo` on the path
    python tests/oracles/foreign_answers.py every FOLDER      # every-eval-ever (Python 3.12), after `harness`
    python tests/oracles/foreign_answers.py batch FOLDER      # openai: its types write the lines of a batch

FOLDER is host/project/tests/golden/foreign. Seen with lm-eval 0.4.13, transformers 5.24, inspect-ai 0.3.285, promptfoo
0.121.20, every-eval-ever 0.3.0 and openai 2. Nothing in the files is edited afterwards, except that Inspect's events, which
repeat the messages, and the paths of this machine in promptfoo's are not kept.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = [
    {"id": "refund", "messages": [{"role": "user", "content": "How do I get a refund?"}], "reference": "By form 7."},
    {"id": "hours", "messages": [{"role": "system", "content": "Be brief."},
                                 {"role": "user", "content": "When are you open?\nAlso on Sunday?"}],
     "reference": "9 to 5"},
    {"id": "köln", "messages": [{"role": "user", "content": "Where in Köln is \"the shop\"?"}], "reference": "Ring 1"},
]
CHOICES = [
    {"id": "sky", "prompt": "What colour is the sky?", "choices": ["blue", "green"], "completion": "blue"},
    {"id": "grass", "prompt": "What colour is grass?", "choices": ["blue", "green"], "completion": "green"},
]
TEMPLATE = ("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
            "{% if add_generation_prompt %}<|assistant|>{% endif %}")


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def rows(folder):
    write_lines(folder / "support.jsonl", ROWS)
    write_lines(folder / "colours.jsonl", CHOICES)


def tiny_model(folder):
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken("</s>", special=True)])
    torch.manual_seed(1)
    shape = dict(vocab_size=257, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                 max_position_embeddings=512, eos_token_id=256, bos_token_id=256, initializer_range=0.4)
    AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **shape)).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", chat_template=TEMPLATE).save_pretrained(folder)


# Tasks of the harness: one written after a chat template, with two filters and with repeats, and multiple choice.
TASKS = {
    "support": """
task: support
dataset_path: json
dataset_kwargs: {data_files: {test: SUPPORT}}
test_split: test
output_type: generate_until
doc_to_text: "{{ messages[-1].content }}"
doc_to_target: "{{ reference }}"
generation_kwargs: {until: ["<|end|>"], max_gen_toks: 8, do_sample: false}
""",
    "filtered": """
task: filtered
dataset_path: json
dataset_kwargs: {data_files: {test: SUPPORT}}
test_split: test
output_type: generate_until
doc_to_text: "{{ messages[-1].content }}"
doc_to_target: "{{ reference }}"
generation_kwargs: {until: ["<|end|>"], max_gen_toks: 8, do_sample: false}
filter_list:
  - {name: strict, filter: [{function: regex, regex_pattern: "([a-z])"}, {function: take_first}]}
  - {name: flexible, filter: [{function: regex, regex_pattern: "(.)"}, {function: take_first}]}
""",
    "repeated": """
task: repeated
dataset_path: json
dataset_kwargs: {data_files: {test: SUPPORT}}
test_split: test
output_type: generate_until
doc_to_text: "{{ messages[-1].content }}"
doc_to_target: "{{ reference }}"
generation_kwargs: {until: ["<|end|>"], max_gen_toks: 4, do_sample: true, temperature: 1.0}
repeats: 3
filter_list:
  - {name: first, filter: [{function: take_first}]}
""",
    "colours": """
task: colours
dataset_path: json
dataset_kwargs: {data_files: {test: COLOURS}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{ prompt }}"
doc_to_choice: "{{ choices }}"
doc_to_target: "{{ completion }}"
metric_list: [{metric: acc}, {metric: acc_mutual_info}]
""",
}


def harness(folder):
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        tiny_model(work / "nobody" / "tiny")
        for name, text in TASKS.items():
            text = text.replace("SUPPORT", str(folder / "support.jsonl")).replace("COLOURS", str(folder / "colours.jsonl"))
            (work / f"{name}.yaml").write_text(text)
        run_harness(work, "support,filtered,repeated", work / "chat", ["--apply_chat_template"])
        run_harness(work, "colours", work / "plain", [])
        for path in work.glob("*/*/samples_*.jsonl"):
            task = path.name.split("_")[1]
            (folder / f"harness_{task}.jsonl").write_bytes(path.read_bytes())
        # What every-eval-ever reads; not kept in the repository.
        kept = Path(tempfile.gettempdir()) / "foreign_answers_harness"
        subprocess.run(["rm", "-rf", kept], check=True)
        subprocess.run(["cp", "-r", work, kept], check=True)


def run_harness(work, tasks, out, more):
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--model_args", "pretrained=nobody/tiny",
               "--tasks", tasks, "--include_path", str(work), "--output_path", str(out), "--log_samples",
               "--device", "cpu", "--batch_size", "1", *more]
    subprocess.run(command, check=True, cwd=work, env={**os.environ, "HF_HUB_OFFLINE": "1"})


def inspect(folder):
    from inspect_ai import Task, eval as evaluate
    from inspect_ai.dataset import Sample
    from inspect_ai.log import read_eval_log, write_eval_log
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate, solver

    def asked(row):
        kinds = {"system": ChatMessageSystem, "user": ChatMessageUser}
        return [kinds[turn["role"]](content=turn["content"]) for turn in row["messages"]]

    def said(text):
        output = ModelOutput.from_content("mockllm/model", text)
        output.usage = ModelUsage(input_tokens=9, output_tokens=3, total_tokens=12)
        return output

    @solver
    def breaks():
        async def solve(state, generate):
            if state.sample_id == "hours":
                raise RuntimeError("the server said 503")
            return state
        return solve

    samples = [Sample(id=row["id"], input=asked(row), target=row["reference"]) for row in ROWS]
    unnamed = [Sample(input=asked(row)[-1].content, target=row["reference"]) for row in ROWS]
    logs = {
        "plain": (samples, [generate()], 1),
        "epochs": (samples, [generate()], 3),
        "failed": (samples, [breaks(), generate()], 1),
        "unnamed": (unnamed, [generate()], 1),
    }
    with tempfile.TemporaryDirectory() as work:
        for name, (dataset, solvers, epochs) in logs.items():
            texts = iter(f"Answer {number} ♪" for number in range(100))
            outputs = (said(text) for text in texts)
            task = Task(dataset=dataset, solver=solvers, scorer=includes(), name="support", epochs=epochs)
            log, = evaluate(task, model=get_model("mockllm/model", custom_outputs=outputs), log_dir=work,
                            fail_on_error=False, max_samples=1, max_connections=1, display="none")
            log = read_eval_log(log.location)
            for sample in log.samples:
                sample.events, sample.attachments = [], {}
                if sample.error:
                    sample.error.traceback = sample.error.traceback_ansi = ""
            log.stats.role_usage, log.eval.revision, log.eval.packages = {}, None, {}
            for format in ["eval", "json"]:
                write_eval_log(log, str(folder / f"inspect_{name}.{format}"), format=format)


PROVIDER = """
module.exports = class {
  constructor(options) { this.name = options.config?.name ?? 'tiny-bot'; }
  id() { return this.name; }
  async callApi(prompt, context) {
    if (prompt.includes('Sunday')) return { error: 'the server said 503' };
    if (prompt.includes('Köln')) return { output: { place: 'Ring 1' }, tokenUsage: { total: 10, prompt: 7, completion: 3 } };
    return { output: `Answer ${prompt.length}`, tokenUsage: { total: 12, prompt: 9, completion: 3 }, finishReason: 'stop' };
  }
};
"""


def promptfoo(folder):
    ask = {"id": "file://chat.json", "label": "chat"}
    tests = [{"vars": {"id": row["id"], "question": row["messages"][-1]["content"]}} for row in ROWS]
    # An assertion that does not hold is no failed request.
    tests[0]["assert"] = [{"type": "contains", "value": "form 7"}]
    bots = [{"id": "file://provider.js", "config": {"name": name}} for name in ["tiny-bot", "other-bot"]]
    runs = {"plain": (bots[:1], []), "repeated": (bots[:1], ["--repeat", "2"]), "two": (bots, [])}
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        (work / "provider.js").write_text(PROVIDER, encoding="utf-8")
        (work / "chat.json").write_text('[{"role": "user", "content": "{{question}}"}]')
        for name, (providers, more) in runs.items():
            config = {"prompts": [ask], "providers": providers, "tests": tests}
            (work / "promptfooconfig.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
            command = ["promptfoo", "eval", "-c", "promptfooconfig.json", "--no-cache", "--no-progress-bar", "-j", "1",
                       "-o", f"{name}.json", "-o", f"{name}.jsonl", *more]
            env = {**os.environ, "PROMPTFOO_CONFIG_DIR": str(work / "settings"), "PROMPTFOO_DISABLE_TELEMETRY": "1",
                   "PROMPTFOO_DISABLE_UPDATE": "1"}
            subprocess.run(command, cwd=work, env=env)
            for ending in ["json", "jsonl"] if name == "plain" else ["json"]:
                text = (work / f"{name}.{ending}").read_text(encoding="utf-8").replace(f"{work}/", "")
                (folder / f"promptfoo_{name}.{ending}").write_text(text, encoding="utf-8")


def every(folder):
    from every_eval_ever.instance_level_types import InstanceLevelEvaluationLog

    logs = Path(tempfile.gettempdir()) / "foreign_answers_harness"
    for run in logs.glob("*/*/results_*.json"):
        with tempfile.TemporaryDirectory() as out:
            command = [Path(sys.executable).parent / "every_eval_ever", "convert", "lm_eval", "--log_path", run,
                       "--output_dir", out, "--include_samples", "--source_organization_name", "nobody"]
            subprocess.run(command, check=True)
            for path in Path(out).rglob("*_samples.jsonl"):
                first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
                task = first["evaluation_name"].split("/")[0]
                (folder / f"every_{task}.jsonl").write_bytes(path.read_bytes())

    def record(row, **more):
        said = dict(schema_version="0.3.0", evaluation_id="support/tiny/1", model_id="nobody/tiny",
                    evaluation_name="support", sample_id=row["id"], answer_attribution=[],
                    evaluation={"score": 0.0, "is_correct": False},
                    input={"raw": row["messages"][-1]["content"], "reference": [row["reference"]]}, **more)
        return InstanceLevelEvaluationLog(**said).model_dump(mode="json")

    turns = [{"turn_idx": 0, "role": "system", "content": "Be brief."},
             {"turn_idx": 1, "role": "user", "content": ROWS[1]["messages"][1]["content"]},
             {"turn_idx": 2, "role": "assistant", "content": "9 to 5.", "reasoning_trace": "Look at the door."}]
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    write_lines(folder / "every_turns.jsonl", [
        record(ROWS[0], interaction_type="single_turn", output={"raw": ["By form 7.", "By form 8."]}, token_usage=usage,
               performance={"latency_ms": 1500}),
        record(ROWS[1], interaction_type="multi_turn", messages=turns, token_usage=usage),
        record(ROWS[2], interaction_type="single_turn", output={"raw": []}, error="the server said 503"),
    ])


def batch(folder):
    from openai.types.chat import ChatCompletion

    def line(name, response, error=None):
        return {"id": f"batch_req_{name}", "custom_id": name, "response": response, "error": error}

    def answered(name, texts, finish="stop", **message):
        choices = [{"index": index, "finish_reason": finish, "logprobs": None,
                    "message": {"role": "assistant", "content": text, "refusal": None, **message}}
                   for index, text in enumerate(texts)]
        body = ChatCompletion(id=f"chatcmpl-{name}", object="chat.completion", created=1790000000, model="tiny-1",
                              choices=choices, usage=dict(prompt_tokens=9, completion_tokens=3 * len(texts),
                                                          total_tokens=9 + 3 * len(texts)))
        return line(name, {"status_code": 200, "request_id": f"req_{name}", "body": body.model_dump(mode="json")})

    refused = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    write_lines(folder / "batch.jsonl", [
        answered("köln", ["Ring 1"]), answered("refund", ["By form"], "length"),
        line("hours", {"status_code": 429, "request_id": "req_hours", "body": refused}),
    ])
    write_lines(folder / "batch_odd.jsonl", [
        answered("refund", ["By form 7.", "By form 8."]),
        answered("hours", [None], "tool_calls", tool_calls=[call]),
        line("köln", None, {"code": "batch_expired", "message": "This request could not be executed in time."}),
    ])


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    globals()[what](folder)
