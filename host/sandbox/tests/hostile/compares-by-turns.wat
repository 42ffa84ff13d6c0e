  ;; A comparator that remembers: 0 and 1 by turns.
  ;; include prelude.wat
  (global $turn (mut i32) (i32.const 0))
  (func (export "diapason:plugin/comparator@0.1.0#describe") (param i32 i32) (result i32) (call $described))
  (func (export "diapason:plugin/comparator@0.1.0#compare") (param $s i32) (param $sl i32) (param $pair i32) (param $n i32) (result i32)
    (local $judgements i32) (local $i i32)
    (local.set $judgements (call $alloc (i32.mul (local.get $n) (i32.const 20))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (global.set $turn (i32.xor (global.get $turn) (i32.const 1)))
        (call $judge
          (i32.add (local.get $judgements) (i32.mul (local.get $i) (i32.const 20)))
          (f64.convert_i32_s (global.get $turn)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $judgements) (local.get $n)))
