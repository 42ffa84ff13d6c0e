  ;; A validator with 2000 findings whenever it is asked.
  (import "[export]diapason:plugin/validator@0.1.0" "[resource-new]validation" (func $new (param i32) (result i32)))
  ;; include prelude.wat
  (func $many (result i32)
    (local $found i32) (local $i i32) (local $at i32)
    (local.set $found (call $alloc (i32.const 96000)))
    (memory.fill (local.get $found) (i32.const 0) (i32.const 96000))
    (loop $next
      (local.set $at (i32.add (local.get $found) (i32.mul (local.get $i) (i32.const 48))))
      (i32.store offset=4 (local.get $at) (i32.const 192))
      (i32.store offset=8 (local.get $at) (i32.const 1))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 2000))))
    (call $ok (local.get $found) (i32.const 2000)))
  (func (export "diapason:plugin/validator@0.1.0#[static]validation.start") (param i32 i32) (result i32)
    (call $ok (call $new (i32.const 1)) (i32.const 0)))
  (func (export "diapason:plugin/validator@0.1.0#[method]validation.push") (param i32 i32 i32) (result i32) (call $many))
  (func (export "diapason:plugin/validator@0.1.0#[method]validation.finish") (param i32) (result i32) (call $many))
