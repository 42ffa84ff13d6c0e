  ;; Remembers: the value is the number of observations it was given before.
  ;; include each.wat
  (global $seen (mut i32) (i32.const 0))
  (func $value (param $o i32) (result f64)
    (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
    (f64.convert_i32_s (i32.sub (global.get $seen) (i32.const 1))))
