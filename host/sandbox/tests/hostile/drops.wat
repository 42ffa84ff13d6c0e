  ;; Gives no result at all.
  ;; include evaluator.wat
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param i32 i32 i32 i32) (result i32)
    (call $ok (i32.const 0) (i32.const 0)))
