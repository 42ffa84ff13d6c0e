"""Makes host/models/tests/golden/gguf_ropes.json: what llama.cpp computes for metadata of the rotary embedding.

    python tests/oracles/gguf_ropes.py

Needs gguf, numpy and xllamacpp (llama.cpp with its server). Each case is llama-biases.gguf with other metadata and perhaps
`rope_freqs.weight`; kept are every eighth log-probability after seven tokens and after 48. llama.cpp keeps keys and values
in 32 bits and rounds what is an exponential: the numbers are good to 1e-3. What it does not open is written down as refused.
"""

import json
import pathlib
import sys
import tempfile

import gguf
import numpy
import xllamacpp

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "host/models/tests/golden"
SOURCE = GOLDEN / "llama-biases.gguf"
IDS = [(i * 37 + 11) % 256 for i in range(48)]
FREQS = [1.0, 1.5, 2.5, 4.0]
NONE = {"rope.scaling.type": None, "rope.scaling.factor": None}
YARN = {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16}
CASES = {
    "as it is": ({}, None),
    "no scaling": (NONE, None),
    "none with factor": ({"rope.scaling.type": "none", "rope.scaling.factor": 2.0}, None),
    "factor without type": (NONE | {"rope.scaling.factor": 2.0}, None),
    "old factor": (NONE | {"rope.scale_linear": 2.0}, None),
    "linear without factor": (NONE | {"rope.scaling.type": "linear"}, None),
    "linear, factor 0": (NONE | {"rope.scaling.type": "linear", "rope.scaling.factor": 0.0}, None),
    "yarn": (NONE | YARN, None),
    "yarn without original": (NONE | {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0}, None),
    "yarn without factor": (NONE | {"rope.scaling.type": "yarn"}, None),
    "yarn, attention factor": (NONE | YARN | {"rope.scaling.attn_factor": 1.5}, None),
    "linear, attention factor": ({"rope.scaling.attn_factor": 1.5}, None),
    "freqs": (NONE, FREQS),
    "freqs and linear": ({}, FREQS),
    "freqs and none": ({"rope.scaling.type": "none"}, FREQS),
    "freqs and yarn": (NONE | YARN, FREQS),
    "unknown type": ({"rope.scaling.type": "foo"}, None),
    "type a number": ({"rope.scaling.type": 2}, None),
    "factor a whole number": ({"rope.scaling.factor": 2}, None),
    "window": ({"attention.sliding_window": 8}, None),
    "base": (NONE | {"rope.freq_base": 500.0}, None),
    "no base": (NONE | {"rope.freq_base": None}, None),
    "half a head": (NONE | {"rope.dimension_count": 4}, None),
    "no epsilon": ({"attention.layer_norm_rms_epsilon": None}, None),
    "key heads by layer": ({"attention.head_count_kv": [2, 2]}, None),
    "freqs too short": (NONE, FREQS[:2]),
}


def write(path, edits, freqs):
    reader = gguf.GGUFReader(SOURCE)
    writer = gguf.GGUFWriter(path, "llama")
    values = {name: (field.contents(), field.types[0], field.types[-1]) for name, field in reader.fields.items()
              if not name.startswith("GGUF.") and name != "general.architecture"}
    kinds = {float: gguf.GGUFValueType.FLOAT32, int: gguf.GGUFValueType.UINT32, str: gguf.GGUFValueType.STRING,
             list: gguf.GGUFValueType.ARRAY}
    for name, value in edits.items():
        values.pop(f"llama.{name}", None)
        if value is not None:
            values[f"llama.{name}"] = (value, kinds[type(value)], None)
    # Without a merge llama.cpp does not open the file; here no text is tokenised.
    values["tokenizer.ggml.merges"] = (["a b"], gguf.GGUFValueType.ARRAY, None)
    for name, (value, kind, inner) in values.items():
        writer.add_key_value(name, value, kind, inner if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    if freqs is not None:
        writer.add_tensor("rope_freqs.weight", numpy.array(freqs, dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def logprobs(path):
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 64, 1, False, -1
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(params)
    found = {}
    for key, count in [("short", 7), ("long", 48)]:
        # An "a" comes next whatever the model says: of an unfinished character the server gives no probabilities. Those that
        # it gives are from before the bias.
        answer = server.handle_completions({"prompt": IDS[:count], "n_predict": 1, "n_probs": 264, "temperature": 0.0,
                                            "cache_prompt": False, "logit_bias": [[64, 1000.0]]})
        answer = answer if isinstance(answer, dict) else json.loads(answer)
        top = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        by_id = {one["id"]: one["logprob"] for one in top}
        found[key] = [round(by_id[i], 5) for i in range(0, 256, 8)]
    return found


def case(name, edits, freqs):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.gguf"
        write(path, edits, freqs)
        found = {"name": name, "metadata": edits, "freqs": freqs}
        try:
            return found | logprobs(path)
        except RuntimeError:
            return found | {"refused": True}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        # One case in a process of its own: some end llama.cpp.
        print("RESULT" + json.dumps(case(sys.argv[1], *CASES[sys.argv[1]])))
        sys.exit()
    import subprocess
    cases = []
    for name, (edits, freqs) in CASES.items():
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True)
        lines = [line[6:] for line in done.stdout.splitlines() if line.startswith("RESULT")]
        ended = {"name": name, "metadata": edits, "freqs": freqs, "refused": True}
        cases.append(json.loads(lines[0]) if lines else ended)
        if not lines:
            print(name, done.returncode, done.stderr[-300:])
    body = ",\n".join(json.dumps(one) for one in cases)
    (GOLDEN / "gguf_ropes.json").write_text(f'{{"ids": {json.dumps(IDS)}, "cases": [\n{body}\n]}}\n')
    print(len(cases), "cases,", [one["name"] for one in cases if one.get("refused")], "refused by llama.cpp")
