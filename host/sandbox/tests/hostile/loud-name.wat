  ;; Its id is in capitals.
  ;; include each.wat
  (func $value (param $o i32) (result f64) (f64.const 0))
  (data (i32.const 16) "TEST")
