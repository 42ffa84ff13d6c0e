//! A model on this machine behind the seam says what it says when it is asked directly, and what that took.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_core::Error;
use diapason_core::arm::Arm;
use diapason_core::engine::{Engine, Moment, Prompt, Request, Said, Wanted};
use diapason_core::language_model::{Decoding, LanguageModel};
use diapason_engine::Local;
use diapason_models::Model;
use std::path::Path;

const TEXTS: [&str; 5] = ["Once upon a time", "a", "The quick brown fox", "b b b", "Hello"];

fn model() -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/llama-tied");
    Model::open(&folder, &Device::Cpu).unwrap()
}

fn requests<'a>(arm: &'a Arm, wanted: impl Fn(usize) -> Wanted<'a>) -> Vec<Request<'a>> {
    let prompt = |text| Prompt { text: Some(text), conversation: None };
    TEXTS
        .iter()
        .enumerate()
        .map(|(i, text)| Request { arm, name: "x", prompt: prompt(text), wanted: wanted(i) })
        .collect()
}

#[test]
fn mixed_requests_get_the_answers_of_each_kind_alone() {
    let (model, arm) = (model(), Arm::base());
    let short = Decoding { max_tokens: 3, ..Decoding::default() };
    let drawn = Decoding { max_tokens: 9, temperature: 1.0, seed: 7, ..Decoding::default() };
    let completion = |decoding, stream| Wanted::Completion { decoding, stream };
    let greedy = requests(&arm, |i| completion(&short, i as u64));
    let draws = requests(&arm, |i| completion(&drawn, i as u64));
    let likely = requests(&arm, |_| Wanted::Likelihood(" there"));
    // Interleaved, so that what is decoded alike must be found again.
    let mixed: Vec<Request<'_>> = (0..TEXTS.len()).flat_map(|i| [likely[i], draws[i], greedy[i]]).collect();
    let answers = Local::new(&model).batched(2).answers(&mixed).unwrap();
    let texts: Vec<String> = TEXTS.map(str::to_owned).to_vec();
    let pairs: Vec<(String, String)> = texts.iter().map(|text| (text.clone(), " there".to_owned())).collect();
    let mut local = Local::new(&model).batched(2);
    let alone = |local: &mut Local<'_>, decoding| local.generate(&texts, decoding, &mut |_| {}).unwrap();
    let expected =
        (alone(&mut local, &short), alone(&mut local, &drawn), local.loglikelihood(&pairs, &mut |_| {}).unwrap());
    for i in 0..TEXTS.len() {
        assert_eq!(answers[3 * i].said, Said::Likelihood(expected.2[i]));
        assert_eq!(answers[3 * i + 1].said, Said::Completion(expected.1[i].clone()));
        assert_eq!(answers[3 * i + 2].said, Said::Completion(expected.0[i].clone()));
        let read = model.tokenizer().encode(TEXTS[i]).unwrap().len() as u64;
        let usage = answers[3 * i + 2].usage;
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (Some(read), Some(expected.0[i].tokens as u64)));
        assert!(usage.seconds >= 0.0);
    }
}

#[test]
fn what_is_known_is_left_out_and_a_pause_comes_after_each_batch() {
    let (model, arm, decoding) = (model(), Arm::base(), Decoding { max_tokens: 2, ..Decoding::default() });
    let requests = requests(&arm, |i| Wanted::Completion { decoding: &decoding, stream: i as u64 });
    let asked = |known: &dyn Fn(usize) -> bool, stop_at: usize| {
        let (mut answered, mut pauses) = (Vec::new(), 0);
        let done = Local::new(&model).batched(2).ask(&requests, known, &mut |moment| {
            match moment {
                Moment::Answered(index, _) => answered.push(index),
                Moment::Pause => pauses += 1,
            }
            if pauses == stop_at { Err(Error::run("enough")) } else { Ok(()) }
        });
        (answered.len(), pauses, done.is_err())
    };
    assert_eq!(asked(&|_| false, 9), (5, 3, false));
    assert_eq!(asked(&|_| true, 9), (0, 0, false));
    assert_eq!(asked(&|_| false, 1), (2, 1, true));
    let error = Local::new(&model).answers(&[Request { prompt: Prompt::default(), ..requests[0] }]).unwrap_err();
    assert_eq!(error.to_string(), "arm base: x has no rendered prompt");
}
