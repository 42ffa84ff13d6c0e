  ;; A comparator: how many more completions the candidate has than the reference.
  ;; pair = 96: sample at 0, the reference's completions at 64, the candidate's at 80.
  ;; include prelude.wat
  (func (export "diapason:plugin/comparator@0.1.0#describe") (param i32 i32) (result i32) (call $described))
  (func (export "diapason:plugin/comparator@0.1.0#compare") (param $s i32) (param $sl i32) (param $pair i32) (param $n i32) (result i32)
    (local $judgements i32) (local $i i32)
    (local.set $judgements (call $alloc (i32.mul (local.get $n) (i32.const 20))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (if (i32.eq (call $initial (local.get $pair)) (i32.const 120)) (then (unreachable)))
        (call $judge
          (i32.add (local.get $judgements) (i32.mul (local.get $i) (i32.const 20)))
          (f64.convert_i32_s (i32.sub (i32.load offset=84 (local.get $pair)) (i32.load offset=68 (local.get $pair)))))
        (local.set $pair (i32.add (local.get $pair) (i32.const 96)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $judgements) (local.get $n)))
