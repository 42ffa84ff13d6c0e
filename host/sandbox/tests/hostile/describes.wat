  ;; Describes 400 measures.
  ;; include prelude.wat
  (func (export "diapason:plugin/evaluator@0.1.0#describe") (param i32 i32) (result i32)
    (local $infos i32)
    (local.set $infos (call $alloc (i32.const 19200)))
    (memory.fill (local.get $infos) (i32.const 0) (i32.const 19200))
    (call $ok (local.get $infos) (i32.const 400)))
  (func (export "diapason:plugin/evaluator@0.1.0#plan") (param i32 i32 i32 i32) (result i32) (call $err))
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param i32 i32 i32 i32) (result i32) (call $err))
