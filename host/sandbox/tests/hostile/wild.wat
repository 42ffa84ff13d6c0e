  ;; Reads far outside of its memory on a sample whose id begins with x.
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (if (i32.eq (call $initial (local.get $o)) (i32.const 120)) (then (drop (i32.load (i32.const -8)))))
    (f64.const 1))
