//! Whole training runs on a tiny model: what they write, that they repeat, what they refuse.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::{Device, Tensor};
use diapason_core::config::{EarlyStopping, Method, Schedule, Train};
use diapason_core::event::{Event, Silent};
use diapason_models::linear::Mode;
use diapason_models::{Model, families};
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use diapason_nn::layout::{Sequences, Span};
use diapason_train::encode::Example;
use diapason_train::run::{Outcome, Run, Trainer, train, trainable};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Mutex;

const VOCABULARY: u32 = 40;

type Named = Vec<(String, Tensor)>;

fn tokenizer() -> tokenizers::Tokenizer {
    let vocab: serde_json::Map<String, Value> = (0..VOCABULARY).map(|id| (format!("w{id}"), id.into())).collect();
    let json = json!({"version": "1.0", "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w0"},
        "pre_tokenizer": {"type": "Whitespace"}});
    json.to_string().parse().unwrap()
}

fn model(seed: u64) -> Model {
    let config = json!({"model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
        "tie_word_embeddings": true});
    Model::init(families::Config::from_json(&config).unwrap(), tokenizer(), Some("{{ messages }}".into()), &[], seed)
        .unwrap()
}

/// Rows of different lengths in which each answer is the prompt's words plus one.
fn examples() -> Vec<Example> {
    let row = |i: u32| {
        let words: Vec<u32> = (0..1 + i % 7).map(|j| 2 + (5 * i + 3 * j) % 30).collect();
        let answer: Vec<u32> = words.iter().map(|word| word + 1).collect();
        let learn = [vec![false; words.len() + 1], vec![true; answer.len()]].concat();
        Example { ids: [words, vec![1], answer].concat(), learn }
    };
    (0..48).map(row).collect()
}

fn settings(method: Method) -> Train {
    Train {
        method,
        rank: 4,
        alpha: 8.0,
        target_modules: vec!["all-linear".into()],
        batch_size: 4,
        gradient_accumulation: 2,
        learning_rate: 1e-2,
        schedule: Schedule::Cosine,
        epochs: 6,
        ..Train::default()
    }
}

fn run(config: &Train, seed: u64, folder: &Path) -> (Model, Outcome) {
    let mut model = model(1);
    let outcome = train(&mut model, Run::new(&examples(), config, seed, folder, &Silent)).unwrap();
    (model, outcome)
}

fn logits(model: &Model) -> Vec<f32> {
    let ids = Tensor::new(&[[3_u32, 8, 1, 4]], &Device::Cpu).unwrap();
    let spans = vec![Span { offset: 0, keys: 4 }];
    let hidden = model.llama().forward_hidden(&ids, &Sequences::Padded(spans), None, &Mode::Inference).unwrap();
    let logits = model.llama().logits(&hidden, &Mode::Inference).unwrap();
    assert!(!logits.track_op(), "inference records gradients");
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

fn steps(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("train.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn failure(config: &Train, examples: &[Example], folder: &Path) -> String {
    let error = train(&mut model(1), Run::new(examples, config, 1, folder, &Silent)).unwrap_err();
    format!("{error} | {}", error.hint_text().unwrap_or_default())
}

#[test]
fn both_methods_learn_and_leave_what_reopens_to_the_same_model() {
    // A random base can be bent less by an adapter than by training all of it.
    for (method, share) in [(Method::Lora, 0.95), (Method::Full, 0.75)] {
        let folder = tempfile::tempdir().unwrap();
        let (trained, outcome) = run(&settings(method), 1, folder.path());
        let steps = steps(folder.path());
        assert_eq!((outcome.steps, steps.len()), (36, 36));
        let first = steps[0]["loss"].as_f64().unwrap();
        assert!(outcome.final_loss < share * first, "{method:?}: {first} to {}", outcome.final_loss);
        let mut again = match method {
            Method::Lora | Method::Qlora => model(1),
            Method::Full => Model::open(&folder.path().join("model"), &Device::Cpu).unwrap(),
        };
        if method == Method::Lora {
            again.attach_adapter(&folder.path().join("adapter")).unwrap();
            assert_eq!(again.adapter_digest(), trained.adapter_digest());
            assert!(trained.adapter_digest().is_some());
        }
        assert_eq!(logits(&trained), logits(&again), "{method:?}");
        assert_ne!(logits(&trained), logits(&model(1)));
    }
}

/// The length of adapted rows is kept between tokens; when early stopping puts the best state back, it is another.
#[test]
fn dora_answers_with_the_best_state_after_early_stopping() {
    let early = EarlyStopping { patience: 1, ..EarlyStopping::default() };
    let method = Train { dora: true, learning_rate: 5e-2, warmup: 0.0, epochs: 30, ..settings(Method::Lora) };
    let config = Train { early_stopping: Some(early), eval_steps: Some(1), ..method };
    let (folder, mut trained) = (tempfile::tempdir().unwrap(), model(1));
    let rows = examples();
    let run = Run { held_out: &rows[40..], ..Run::new(&rows[..40], &config, 1, folder.path(), &Silent) };
    let outcome = train(&mut trained, run).unwrap();
    assert!(outcome.stopped_early, "{outcome:?}");
    let mut again = model(1);
    again.attach_adapter(&folder.path().join("adapter")).unwrap();
    assert_eq!(logits(&trained), logits(&again));
}

#[test]
fn the_last_epochs_checkpoint_is_the_result() {
    let folder = tempfile::tempdir().unwrap();
    run(&settings(Method::Lora), 1, folder.path());
    let weights = |name: &str| std::fs::read(folder.path().join(name).join("adapter_model.safetensors")).unwrap();
    assert_eq!(weights("checkpoints/epoch-6"), weights("adapter"));
    assert_ne!(weights("checkpoints/epoch-1"), weights("adapter"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    for method in [Method::Lora, Method::Full] {
        let config = Train { epochs: 2, ..settings(method) };
        let weights = |seed: u64, threads: usize| {
            let folder = tempfile::tempdir().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&config, seed, folder.path()));
            let file =
                if method == Method::Lora { "adapter/adapter_model.safetensors" } else { "model/model.safetensors" };
            let mut steps = steps(folder.path());
            steps.iter_mut().for_each(|step| step["seconds"] = Value::Null);
            (std::fs::read(folder.path().join(file)).unwrap(), steps)
        };
        let once = weights(1, 1);
        assert!(once == weights(1, 1), "{method:?}: a second run differs");
        assert!(once == weights(1, 3), "{method:?}: three threads differ from one");
        assert!(once.0 != weights(2, 1).0, "{method:?}: the seed changes nothing");
    }
}

#[test]
fn cutting_a_step_into_batches_changes_nothing_beyond_rounding() {
    let mut model = model(1);
    let config = Train { dropout: 0.0, ..settings(Method::Full) };
    let vars = trainable::prepare(&mut model, &config, 1).unwrap();
    let rows: Vec<usize> = (0..24).collect();
    let pass = |batch_size: usize| {
        let config = Train { batch_size, ..config.clone() };
        Trainer::new(&vars, &config, 1).gradients(model.llama(), &examples(), &rows).unwrap()
    };
    let whole = pass(24);
    for batch_size in [1, 5, 8] {
        let cut = pass(batch_size);
        assert!((cut.loss - whole.loss).abs() < 1e-6, "{} for {}", cut.loss, whole.loss);
        assert_eq!((cut.tokens, cut.trained), (whole.tokens, whole.trained));
        for ((a, b), (name, _)) in cut.gradients.iter().zip(&whole.gradients).zip(&vars) {
            let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
            let difference = difference.to_scalar::<f32>().unwrap();
            assert!(difference < 1e-6, "{name}: {difference}");
        }
    }
}

#[test]
fn events_tell_what_is_trained_and_every_logged_step() {
    let seen = Mutex::new(Vec::new());
    let sink = |event: &Event| seen.lock().unwrap().push(event.clone());
    let folder = tempfile::tempdir().unwrap();
    let config = Train { logging_steps: 5, max_steps: Some(12), ..settings(Method::Lora) };
    let outcome = train(&mut model(1), Run::new(&examples(), &config, 1, folder.path(), &sink)).unwrap();
    // A and B of q, o (32 to 32), k, v (32 to 16), gate, up (32 to 48) and down (48 to 32), two layers.
    let adapter = 2 * 4 * (2 * 64 + 2 * 48 + 3 * 80);
    assert_eq!((outcome.trainable, outcome.steps), (adapter, 12));
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen[0], Event::Trainable { trainable: adapter, total: model(1).parameters() + adapter });
    let steps: Vec<u64> =
        seen.iter().filter_map(|event| if let Event::Step(step) = event { Some(step.step) } else { None }).collect();
    assert_eq!(steps, [1, 5, 10, 12]);
}

#[test]
fn rows_that_cannot_be_trained_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = settings(Method::Lora);
    let mut rows = examples();
    rows[6] = Example { ids: vec![2; 65], learn: vec![true; 65] };
    assert!(failure(&config, &rows, folder.path()).contains("row 7 has 65 tokens, more than 64 | the model takes"));
    let short = Train { max_sequence_length: 20, ..config.clone() };
    assert!(failure(&short, &rows, folder.path()).contains("more than 20 | the model takes"));
    rows[6] = Example { ids: vec![2; 30], learn: vec![true; 30] };
    assert!(failure(&short, &rows, folder.path()).contains("raise `train.max_sequence_length`"));
    rows[6] = Example { ids: vec![2, 3], learn: vec![true, false] };
    assert!(failure(&config, &rows, folder.path()).contains("row 7 has no token to learn"));
    assert!(failure(&config, &[], folder.path()).contains("no rows"));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |config: Train, message: &str| {
        let failure = failure(&config, &examples(), folder.path());
        assert!(failure.contains(message), "{failure}");
    };
    let config = settings(Method::Lora);
    check(Train { target_modules: vec!["w_proj".into()], ..config.clone() }, "names `w_proj`, which is no layer");
    check(Train { target_modules: vec![], ..config.clone() }, "`train.target_modules` is empty");
    check(Train { rank: 0, ..config.clone() }, "`train.rank` is 0");
    check(Train { dropout: 1.0, ..config.clone() }, "`train.dropout` is 1");
    check(Train { batch_size: 0, ..config }, "`train.batch_size` is 0");
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_keeps_the_state_before() {
    let folder = tempfile::tempdir().unwrap();
    let config = Train { learning_rate: 1e30, warmup: 0.0, max_gradient_norm: 0.0, ..settings(Method::Full) };
    let failure = failure(&config, &examples(), folder.path());
    assert!(failure.contains("of step 2 is not finite (rows "), "{failure}");
    assert!(failure.contains("checkpoints/step-1"), "{failure}");
    assert!(folder.path().join("checkpoints/step-1/model.safetensors").is_file());
    assert!(!folder.path().join("model").exists());
    assert_eq!(steps(folder.path()).len(), 1);
}

fn weights_of(tensors: Named) -> Vec<(String, Weight)> {
    tensors.into_iter().map(|(name, tensor)| (name, tensor.into())).collect()
}

#[test]
fn an_adapter_that_does_not_fit_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    run(&Train { epochs: 1, ..settings(Method::Lora) }, 1, folder.path());
    let adapter = folder.path().join("adapter");
    let weights = candle_core::safetensors::load(adapter.join("adapter_model.safetensors"), &Device::Cpu).unwrap();
    let check = |message: &str, change: &dyn Fn(&mut Named)| {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(adapter.join("adapter_config.json"), copy.path().join("adapter_config.json")).unwrap();
        let mut tensors: Named = weights.clone().into_iter().collect();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        change(&mut tensors);
        let path = copy.path().join("adapter_model.safetensors");
        diapason_models::formats::save(&path, &weights_of(tensors), SaveType::F32).unwrap();
        let mut model = model(1);
        let error = model.attach_adapter(copy.path()).map_or_else(|error| error.to_string(), |()| "attached".into());
        assert!(error.contains(message), "{error}");
        assert_eq!(logits(&model) == logits(&self::model(1)), error != "attached");
    };
    check("attached", &|_| {});
    check("unknown key `model.layers.0", &|tensors| tensors[0].0 = tensors[0].0.replace("base_model.model.", ""));
    check("unknown key", &|tensors| tensors[0].0 = tensors[0].0.replace("lora_A", "lora_C"));
    check("belongs to no layer", &|tensors| tensors[0].0 = tensors[0].0.replace("layers.0", "layers.7"));
    check("has shape [3, 48], expected [4, 48]", &|tensors| tensors[0].1 = tensors[0].1.narrow(0, 0, 3).unwrap());
    check("has no lora_B", &|tensors| drop(tensors.remove(1)));
    check("holds no tensors", &|tensors| tensors.clear());
}

#[test]
fn an_adapter_of_another_base_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(&Train { epochs: 1, ..settings(Method::Lora) }, 1, folder.path());
    let error = model(2).attach_adapter(&folder.path().join("adapter")).unwrap_err();
    assert!(error.to_string().contains("the adapter was trained on other weights"), "{error}");
}

#[test]
fn weights_are_saved_in_the_type_asked_for() {
    for (dtype, bytes, tolerance) in [(SaveType::F32, 4, 0.0), (SaveType::Bf16, 2, 2e-2), (SaveType::F16, 2, 3e-3)] {
        let folder = tempfile::tempdir().unwrap();
        let model = model(1);
        model.save(folder.path(), dtype).unwrap();
        let size = std::fs::metadata(folder.path().join("model.safetensors")).unwrap().len();
        assert!(size - bytes * model.parameters() < 4096, "{dtype:?}: {size}");
        let again = logits(&Model::open(folder.path(), &Device::Cpu).unwrap());
        let worst = again.iter().zip(logits(&model)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= tolerance, "{dtype:?}: {worst}");
    }
}

/// Runs that no step of can change anything are refused before the first, and nothing is written; the nearest ones that can
/// do change the model. With a warm-up the first step has the rate 0, as in transformers (`schedule.rs`).
#[test]
fn a_run_that_cannot_learn_is_refused_before_it_trains() {
    let one_step = |warmup| Train { max_steps: Some(1), warmup, ..settings(Method::Lora) };
    let tiny = |learning_rate| Train { learning_rate, warmup: 0.0, max_steps: Some(2), ..settings(Method::Lora) };
    for (config, key) in [
        (one_step(0.03), "/train/warmup"),
        (one_step(1.0), "/train/warmup"),
        (
            Train { batch_size: 48, gradient_accumulation: 1, epochs: 1, warmup: 0.1, ..settings(Method::Lora) },
            "/train/warmup",
        ),
        (Train { method: Method::Full, ..one_step(0.03) }, "/train/warmup"),
        (Train { schedule: Schedule::Wsd, ..one_step(0.5) }, "/train/warmup"),
        (tiny(1e-300), "/train/learning_rate"),
        (tiny(0.0), "/train/learning_rate"),
        (Train { alpha: 1e-200, ..tiny(1e-2) }, "/train/alpha"),
        (Train { max_gradient_norm: 1e-250, ..tiny(1e-2) }, "/train/max_gradient_norm"),
        (Train { dropout: 0.999_999_999_999, ..tiny(1e-2) }, "/train/dropout"),
    ] {
        let found = diapason_train::run::idle(&config, examples().len()).map(|problem| problem.pointer);
        assert_eq!(found.as_deref(), Some(key), "{config:?}");
        let folder = tempfile::tempdir().unwrap();
        let error = train(&mut model(1), Run::new(&examples(), &config, 5, folder.path(), &Silent)).unwrap_err();
        assert_eq!((error.class(), error.hint_text().is_some()), (diapason_core::Class::Config, true), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{key}: something was written");
    }
    let before = logits(&model(1));
    for config in [
        one_step(0.0),
        Train { max_steps: Some(2), warmup: 1.0, schedule: Schedule::Constant, ..settings(Method::Lora) },
        Train { max_steps: Some(2), warmup: 0.03, ..settings(Method::Lora) },
        Train { method: Method::Full, ..one_step(0.0) },
    ] {
        assert_eq!(diapason_train::run::idle(&config, examples().len()).map(|problem| problem.pointer), None);
        let folder = tempfile::tempdir().unwrap();
        assert_ne!(logits(&run(&config, 5, folder.path()).0), before, "{config:?}");
    }
}

/// Qwen's configurations name it, mostly as 0; transformers drops attention in training where it is more.
#[test]
fn a_model_that_drops_attention_is_not_trained_without_a_word() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/qwen2");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&golden).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let mut config: Value = serde_json::from_slice(&std::fs::read(golden.join("config.json")).unwrap()).unwrap();
    for (share, refused) in [(json!(0.0), false), (json!(0), false), (json!(0.1), true)] {
        config["attention_dropout"] = share;
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let mut model = Model::outline(folder.path()).unwrap();
        let prepared = trainable::prepare(&mut model, &settings(Method::Lora), 1);
        assert_eq!(prepared.is_err(), refused, "{}", config["attention_dropout"]);
        if let Err(error) = prepared {
            assert!(error.to_string().contains("`attention_dropout` in config.json is 0.1"), "{error}");
        }
    }
}
