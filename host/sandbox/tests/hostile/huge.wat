  ;; Gives -1e308 for a sample whose id begins with x.
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (if (i32.eq (call $initial (local.get $o)) (i32.const 120)) (then (return (f64.const -1e308))))
    (f64.const 1))
