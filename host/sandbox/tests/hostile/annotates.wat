  ;; One note of 60 KB beside every judgement.
  ;; include evaluator.wat
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (local $judgements i32) (local $i i32) (local $at i32) (local $note i32)
    (local.set $judgements (call $alloc (i32.mul (local.get $n) (i32.const 20))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (local.set $at (i32.add (local.get $judgements) (i32.mul (local.get $i) (i32.const 20))))
        (call $judge (local.get $at) (f64.const 1))
        (local.set $note (call $alloc (i32.const 16)))
        (i32.store (local.get $note) (i32.const 192))
        (i32.store offset=4 (local.get $note) (i32.const 1))
        (i32.store offset=8 (local.get $note) (call $alloc (i32.const 60000)))
        (i32.store offset=12 (local.get $note) (i32.const 60000))
        (i32.store offset=12 (local.get $at) (local.get $note))
        (i32.store offset=16 (local.get $at) (i32.const 1))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $judgements) (local.get $n)))
