  ;; Gives one judgement, unscored, whose reason is 3 MiB long.
  ;; include evaluator.wat
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param i32 i32 i32 i32) (result i32)
    (local $judgement i32)
    (local.set $judgement (call $alloc (i32.const 20)))
    (i32.store (local.get $judgement) (i32.const 1))
    (i32.store offset=4 (local.get $judgement) (call $alloc (i32.const 3145728)))
    (i32.store offset=8 (local.get $judgement) (i32.const 3145728))
    (i32.store offset=12 (local.get $judgement) (i32.const 0))
    (i32.store offset=16 (local.get $judgement) (i32.const 0))
    (call $ok (local.get $judgement) (i32.const 1)))
