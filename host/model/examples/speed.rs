#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use diapason_core::language_model::{Decoding, LanguageModel};
fn main() {
    let path = std::env::var("DIAPASON_SMOLLM2").unwrap();
    let t = std::time::Instant::now();
    let mut model = diapason_model::Model::open(std::path::Path::new(&path), &candle_core::Device::Cpu).unwrap();
    println!("open {:?}", t.elapsed());
    for batch in [1usize, 4, 8, 16, 32] {
        model.set_batch_size(batch);
        let prompts = vec![
            "The quick brown fox jumps over the lazy dog and then ".to_owned()
                + &"runs far away into the wood ".repeat(8);
            batch
        ];
        for n in [1usize, 33] {
            let t = std::time::Instant::now();
            let out =
                model.generate(&prompts, &Decoding { max_tokens: n, ..Decoding::default() }, &mut |_| {}).unwrap();
            let tokens: usize = out.iter().map(|o| o.tokens).sum();
            println!("batch {batch} max {n}: {tokens} tokens {:.3} s", t.elapsed().as_secs_f64());
        }
    }
}
