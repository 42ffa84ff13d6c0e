  ;; Returns an error for any batch with a sample whose id begins with x.
  ;; include evaluator.wat
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (local $judgements i32) (local $i i32)
    (local.set $judgements (call $alloc (i32.mul (local.get $n) (i32.const 20))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (if (i32.eq (call $initial (i32.add (local.get $list) (i32.mul (local.get $i) (i32.const 80)))) (i32.const 120))
          (then (return (call $err))))
        (call $judge (i32.add (local.get $judgements) (i32.mul (local.get $i) (i32.const 20))) (f64.const 1))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $judgements) (local.get $n)))
