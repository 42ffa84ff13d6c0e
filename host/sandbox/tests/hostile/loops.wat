  ;; Never ends on a sample whose id begins with x.
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (loop $for_ever (br_if $for_ever (i32.eq (call $initial (local.get $o)) (i32.const 120))))
    (f64.const 1))
