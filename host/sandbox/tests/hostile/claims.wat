  ;; Says that its result has 200 million judgements, all of them outside of its memory.
  ;; include evaluator.wat
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param i32 i32 i32 i32) (result i32)
    (call $ok (i32.const 4096) (i32.const 200000000)))
