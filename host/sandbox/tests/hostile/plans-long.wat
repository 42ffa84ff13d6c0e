  ;; Asks for two continuations of 600 KB each.
  ;; include prelude.wat
  (global $seen (mut i32) (i32.const 0))
  (func (export "diapason:plugin/evaluator@0.1.0#describe") (param i32 i32) (result i32) (call $described))
  (func (export "diapason:plugin/evaluator@0.1.0#plan") (param $s i32) (param $sl i32) (param $samples i32) (param $n i32) (result i32)
    (local $requests i32) (local $i i32) (local $request i32)
    (local.set $requests (call $alloc (i32.mul (local.get $n) (i32.const 12))))
    (memory.fill (local.get $requests) (i32.const 0) (i32.mul (local.get $n) (i32.const 12)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (local.set $request (i32.add (local.get $requests) (i32.mul (local.get $i) (i32.const 12))))
        (i32.store offset=4 (local.get $request) (call $alloc (i32.const 16)))
        (i32.store offset=8 (local.get $request) (i32.const 2))
        (i32.store (i32.load offset=4 (local.get $request)) (call $alloc (i32.const 600000)))
        (i32.store offset=4 (i32.load offset=4 (local.get $request)) (i32.const 600000))
        (i32.store offset=8 (i32.load offset=4 (local.get $request)) (i32.load (i32.load offset=4 (local.get $request))))
        (i32.store offset=12 (i32.load offset=4 (local.get $request)) (i32.const 600000))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $requests) (local.get $n)))
  (func (export "diapason:plugin/evaluator@0.1.0#score") (param i32 i32 i32 i32) (result i32) (call $err))
