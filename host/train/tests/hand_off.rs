//! What becomes of each key of `[train]` in another trainer: in its settings, in the rows, in the adapter, or refused.
#![allow(clippy::unwrap_used, missing_docs)]

use diapason_core::config::{Compute, EarlyStopping, Method, Optimizer, Overlong, Schedule, Train};
use diapason_train::encode::Example;
use diapason_train::hand_off::rows::Layout;
use diapason_train::hand_off::{Fate, Job, Tool, fates, problems, text};
use serde_json::{Value, json};

const TRL: Tool = Tool::Trl;
const AXOLOTL: Tool = Tool::Axolotl;
const LLAMA: Tool = Tool::LlamaFactory;

/// Forty rows: ten steps of an epoch with the settings of [`start`].
fn examples() -> Vec<Example> {
    (0..40).map(|i| Example { ids: vec![i, 1, 2, 3], learn: vec![false, true, true, true] }).collect()
}

/// Settings that every trainer can honour.
fn start() -> Train {
    Train { batch_size: 2, gradient_accumulation: 2, ..Train::default() }
}

fn with<T>(tool: Tool, config: &Train, processes: usize, look: impl FnOnce(&Job<'_>) -> T) -> T {
    let examples = examples();
    let layout = Layout::new(&examples, config, 1, processes, tool.filler());
    look(&Job { tool, config, seed: 1, base: "base", base_dtype: Some("bfloat16"), layout: &layout, held_out: true })
}

fn fate(tool: Tool, key: &str, config: &Train) -> Fate {
    with(tool, config, 1, |job| fates(job).into_iter().find(|(name, _)| *name == key).unwrap().1)
}

/// The key's settings are these, in the trainer's names.
#[track_caller]
fn check(key: &str, change: impl Fn(&mut Train), expected: [Value; 3]) {
    let mut config = start();
    change(&mut config);
    for (tool, expected) in Tool::ALL.into_iter().zip(expected) {
        assert_eq!(with(tool, &config, 1, problems), [], "{key}, {}", tool.name());
        let found = match fate(tool, key, &config) {
            Fate::Settings(list) => Value::Object(list.into_iter().collect()),
            other => json!(format!("{other:?}")),
        };
        assert_eq!(found, expected, "{key}, {}", tool.name());
    }
}

/// The same settings under the same names; TRL has them among the arguments of `SFTConfig`.
#[track_caller]
fn check_same(key: &str, change: impl Fn(&mut Train), expected: &Value) {
    let pointers =
        expected.as_object().unwrap().iter().map(|(name, value)| (format!("/training/{name}"), value.clone()));
    check(key, change, [Value::Object(pointers.collect()), expected.clone(), expected.clone()]);
}

/// The key is refused by these trainers only.
#[track_caller]
fn check_refused(key: &str, tools: &[Tool], change: impl Fn(&mut Train)) {
    let mut config = start();
    change(&mut config);
    for tool in Tool::ALL {
        let found: Vec<String> = with(tool, &config, 1, problems).into_iter().map(|problem| problem.pointer).collect();
        let expected: &[&str] = if tools.contains(&tool) { &[key] } else { &[] };
        assert_eq!(found, expected, "{}", tool.name());
    }
}

#[test]
fn every_key_has_a_place() {
    let known = serde_json::to_value(Train::default()).unwrap();
    let known: Vec<&String> = known.as_object().unwrap().keys().collect();
    for tool in Tool::ALL {
        let keys: Vec<&str> = with(tool, &start(), 1, |job| fates(job).into_iter().map(|(key, _)| key).collect());
        assert_eq!(keys, known);
    }
}

#[test]
fn no_setting_is_said_twice() {
    for tool in [AXOLOTL, LLAMA] {
        let text = with(tool, &start(), 1, text);
        let mut names: Vec<&str> = text.lines().map(|line| line.split(": ").next().unwrap()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{text}");
    }
}

#[test]
fn the_adapter_carries_what_is_its_own() {
    let keys = [
        "rank",
        "alpha",
        "dropout",
        "target_modules",
        "rank_pattern",
        "alpha_pattern",
        "modules_to_save",
        "rslora",
        "dora",
    ];
    for (key, tool) in keys.iter().flat_map(|key| Tool::ALL.map(|tool| (key, tool))) {
        assert_eq!(fate(tool, key, &start()), Fate::Adapter);
        assert_eq!(fate(tool, key, &Train { method: Method::Full, ..start() }), Fate::Idle);
    }
}

#[test]
fn the_rows_carry_their_order_and_number() {
    for key in ["epochs", "max_steps", "overlong"] {
        check(
            key,
            |train| (train.overlong, train.max_steps) = (Overlong::Drop, Some(3)),
            [(); 3].map(|()| json!("Rows")),
        );
    }
    let steps = |change: &dyn Fn(&mut Train)| {
        let mut config = start();
        change(&mut config);
        with(TRL, &config, 1, |job| (job.layout.steps, job.layout.rows().count()))
    };
    assert_eq!(steps(&|_| ()), (30, 120));
    assert_eq!(steps(&|train| train.epochs = 2), (20, 80));
    assert_eq!(steps(&|train| train.max_steps = Some(7)), (7, 28));
}

#[test]
fn methods() {
    check(
        "method",
        |_| (),
        [
            json!({"/adapter": "adapter"}),
            json!({"adapter": "lora", "lora_model_dir": "./adapter"}),
            json!({"finetuning_type": "lora", "adapter_name_or_path": "adapter", "create_new_adapter": false}),
        ],
    );
    check(
        "method",
        |train| train.method = Method::Qlora,
        [
            json!({"/adapter": "adapter", "/quantization/load_in_4bit": true, "/quantization/bnb_4bit_quant_type": "nf4"}),
            json!({"adapter": "qlora", "lora_model_dir": "./adapter", "load_in_4bit": true}),
            json!({"finetuning_type": "lora", "adapter_name_or_path": "adapter", "create_new_adapter": false, "quantization_bit": 4,
            "quantization_method": "bnb", "quantization_type": "nf4", "upcast_layernorm": true}),
        ],
    );
    for double in [true, false] {
        check(
            "double_quantization",
            |train| (train.method, train.double_quantization) = (Method::Qlora, double),
            [
                json!({"/quantization/bnb_4bit_use_double_quant": double}),
                json!({"bnb_config_kwargs": {"bnb_4bit_use_double_quant": double}}),
                json!({"double_quantization": double}),
            ],
        );
    }
    check("double_quantization", |_| (), [(); 3].map(|()| json!("Idle")));
}

#[test]
fn precision() {
    for compute in [Compute::Auto, Compute::Bf16] {
        check(
            "compute",
            |train| train.compute = compute,
            [json!({"/dtype": "bfloat16", "/training/bf16": true}), json!({"bf16": true}), json!({"bf16": true})],
        );
    }
    let settings = |method, compute| match fate(TRL, "compute", &Train { method, compute, ..start() }) {
        Fate::Settings(list) => Value::Object(list.into_iter().collect()),
        other => panic!("{other:?}"),
    };
    assert_eq!(settings(Method::Lora, Compute::F32), json!({"/dtype": "float32", "/training/bf16": false}));
    assert_eq!(settings(Method::Full, Compute::Auto), json!({"/dtype": "float32", "/training/bf16": true}));
    let qlora = json!({"/dtype": "auto", "/training/bf16": true, "/quantization/bnb_4bit_compute_dtype": "bfloat16"});
    assert_eq!(settings(Method::Qlora, Compute::Auto), qlora);
    check_refused("train.compute", &[LLAMA], |train| train.compute = Compute::F32);
    check_refused("train.compute", &[AXOLOTL], |train| train.method = Method::Full);
}

#[test]
fn batches() {
    check(
        "batch_size",
        |_| (),
        [
            json!({"/training/per_device_train_batch_size": 2}),
            json!({"micro_batch_size": 2}),
            json!({"per_device_train_batch_size": 2}),
        ],
    );
    check_same("gradient_accumulation", |_| (), &json!({"gradient_accumulation_steps": 2}));
    let shared =
        |processes| with(TRL, &start(), processes, |job| (job.layout.batch_size, job.layout.gradient_accumulation));
    assert_eq!([shared(2), shared(4)], [(2, 1), (1, 1)]);
    check(
        "packing",
        |_| (),
        [json!({"/training/packing": false}), json!({"sample_packing": false}), json!({"packing": false})],
    );
    check_refused("train.packing", &[AXOLOTL, LLAMA], |train| train.packing = true);
    let packed = Train { packing: true, ..start() };
    assert_eq!(fate(TRL, "packing", &packed), Fate::Settings(vec![("/training/packing".into(), json!(true))]));
    check(
        "max_sequence_length",
        |train| train.max_sequence_length = 77,
        [json!("Rows"), json!({"sequence_len": 77}), json!({"cutoff_len": 77})],
    );
    let plain = json!({"use_reentrant": false});
    check(
        "gradient_checkpointing",
        |train| train.gradient_checkpointing = true,
        [
            json!({"/training/gradient_checkpointing": true, "/training/gradient_checkpointing_kwargs": plain}),
            json!({"gradient_checkpointing": true, "gradient_checkpointing_kwargs": plain}),
            json!({"disable_gradient_checkpointing": false, "use_reentrant_gc": false}),
        ],
    );
    check(
        "gradient_checkpointing",
        |_| (),
        [
            json!({"/training/gradient_checkpointing": false}),
            json!({"gradient_checkpointing": false}),
            json!({"disable_gradient_checkpointing": true, "use_reentrant_gc": false}),
        ],
    );
}

#[test]
fn the_optimizer() {
    check_same("learning_rate", |train| train.learning_rate = 3e-5, &json!({"learning_rate": 3e-5}));
    check_same("weight_decay", |train| train.weight_decay = 0.02, &json!({"weight_decay": 0.02}));
    check_same("max_gradient_norm", |train| train.max_gradient_norm = 0.0, &json!({"max_grad_norm": 0.0}));
    for (optimizer, name) in [(Optimizer::AdamW, "adamw_torch"), (Optimizer::AdamW8bit, "adamw_bnb_8bit")] {
        check(
            "optimizer",
            |train| train.optimizer = optimizer,
            [json!({"/training/optim": name}), json!({"optimizer": name}), json!({"optim": name})],
        );
    }
    check(
        "lora_plus_ratio",
        |train| train.lora_plus_ratio = 16.0,
        [json!({"/lora_plus_ratio": 16.0}), json!({"loraplus_lr_ratio": 16.0}), json!({"loraplus_lr_ratio": 16.0})],
    );
    check("lora_plus_ratio", |_| (), [(); 3].map(|()| json!("Idle")));
    check_refused("train.weight_decay", &[AXOLOTL], |train| (train.lora_plus_ratio, train.weight_decay) = (4.0, 0.1));
    let saved = || vec!["lm_head".to_owned()];
    check_refused("train.modules_to_save", &[LLAMA], |train| {
        (train.lora_plus_ratio, train.modules_to_save) = (4.0, saved());
    });
    check_refused("train.target_modules", &[TRL], |train| train.target_modules = saved());
    check_same("neftune_alpha", |train| train.neftune_alpha = 5.0, &json!({"neftune_noise_alpha": 5.0}));
    check("neftune_alpha", |_| (), [(); 3].map(|()| json!("Idle")));
    let noisy = Train { packing: true, neftune_alpha: 5.0, ..start() };
    assert_eq!(with(TRL, &noisy, 1, problems)[0].pointer, "train.neftune_alpha");
}

#[test]
fn the_schedule() {
    let names = [
        (Schedule::Constant, "constant_with_warmup"),
        (Schedule::Linear, "linear"),
        (Schedule::Cosine, "cosine"),
        (Schedule::Wsd, "warmup_stable_decay"),
    ];
    for (schedule, name) in names {
        check(
            "schedule",
            |train| train.schedule = schedule,
            [
                json!({"/training/lr_scheduler_type": name}),
                json!({"lr_scheduler": name}),
                json!({"lr_scheduler_type": name}),
            ],
        );
    }
    // Rounded up, as `LearningRate` does it: of 30 steps.
    check_same("warmup", |train| train.warmup = 0.05, &json!({"warmup_steps": 2}));
    check_same("warmup", |train| train.warmup = 0.0, &json!({"warmup_steps": 0}));
    let wsd = |train: &mut Train| (train.schedule, train.decay) = (Schedule::Wsd, 0.31);
    let plain = json!({"num_decay_steps": 10, "decay_type": "linear"});
    check(
        "decay",
        wsd,
        [
            json!({"/training/lr_scheduler_kwargs": plain}),
            json!({"lr_scheduler_kwargs": plain}),
            json!({"lr_scheduler_kwargs": {"num_decay_steps": 10, "decay_type": "linear", "num_stable_steps": 19}}),
        ],
    );
    check("decay", |_| (), [(); 3].map(|()| json!("Idle")));
}

#[test]
fn what_is_said_and_kept() {
    check_same("logging_steps", |train| train.logging_steps = 3, &json!({"logging_steps": 3}));
    check(
        "eval_steps",
        |_| (),
        [
            json!({"/training/eval_strategy": "steps", "/training/eval_steps": 10}),
            json!({"eval_steps": 10}),
            json!({"eval_strategy": "steps", "eval_steps": 10}),
        ],
    );
    check(
        "eval_steps",
        |train| train.eval_steps = Some(4),
        [
            json!({"/training/eval_strategy": "steps", "/training/eval_steps": 4}),
            json!({"eval_steps": 4}),
            json!({"eval_strategy": "steps", "eval_steps": 4}),
        ],
    );
    check(
        "save_steps",
        |_| (),
        [
            json!({"/training/save_strategy": "steps", "/training/save_steps": 100}),
            json!({"save_steps": 10}),
            json!({"save_strategy": "steps", "save_steps": 10}),
        ],
    );
    check(
        "save_per_epoch",
        |_| (),
        [
            json!({"/steps_per_epoch": 10, "/training/save_total_limit": null}),
            json!({"save_total_limit": 4}),
            json!({"save_total_limit": null}),
        ],
    );
    let last = |train: &mut Train| (train.save_per_epoch, train.save_steps) = (false, 5);
    check(
        "save_steps",
        last,
        [
            json!({"/training/save_strategy": "steps", "/training/save_steps": 5}),
            json!({"save_steps": 5}),
            json!({"save_strategy": "steps", "save_steps": 5}),
        ],
    );
    check_same("save_per_epoch", last, &json!({"save_total_limit": 1}));
    check_refused("train.save_steps", &[AXOLOTL, LLAMA], |train| train.save_steps = 9);
    check_refused("train.early_stopping", &Tool::ALL, |train| train.early_stopping = Some(EarlyStopping::default()));
    check("early_stopping", |_| (), [(); 3].map(|()| json!("Idle")));
}

#[test]
fn seeds_are_numpys() {
    let (config, examples) = (start(), examples());
    let layout = Layout::new(&examples, &config, 1 << 32, 1, TRL.filler());
    let job = |seed| Job {
        tool: TRL,
        config: &config,
        seed,
        base: "base",
        base_dtype: None,
        layout: &layout,
        held_out: false,
    };
    assert_eq!(problems(&job(1 << 32))[0].pointer, "run.seed");
    assert_eq!(problems(&job((1 << 32) - 1)), []);
}
