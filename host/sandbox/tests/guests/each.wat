  ;; `score` for guests that judge each observation apart: they define $value (observation -> f64).
  ;; include evaluator.wat
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (local $judgements i32) (local $i i32)
    (local.set $judgements (call $alloc (i32.mul (local.get $n) (i32.const 20))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (call $judge
          (i32.add (local.get $judgements) (i32.mul (local.get $i) (i32.const 20)))
          (call $value (i32.add (local.get $list) (i32.mul (local.get $i) (i32.const 80)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $judgements) (local.get $n)))
