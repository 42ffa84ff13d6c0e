  ;; Never gets as far as saying who it is.
  ;; include each.wat
  (func $value (param $o i32) (result f64) (f64.const 0))
  (func $begin (loop $for_ever (br $for_ever)))
  (start $begin)
