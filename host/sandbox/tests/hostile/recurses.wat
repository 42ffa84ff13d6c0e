  ;; Calls itself without end on a sample whose id begins with x.
  ;; include each.wat
  (func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
  (func $value (param $o i32) (result f64)
    (if (i32.eq (call $initial (local.get $o)) (i32.const 120)) (then (drop (call $deep (i32.const 0)))))
    (f64.const 1))
