  ;; Its version is "1.x.3".
  ;; include each.wat
  (func $value (param $o i32) (result f64) (f64.const 0))
  (data (i32.const 34) "x")
