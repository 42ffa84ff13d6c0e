  ;; Remembers that it once saw a sample whose id begins with x: everything after that is worth 0, before it 1.
  ;; include each.wat
  (global $seen (mut i32) (i32.const 0))
  (func $value (param $o i32) (result f64)
    (if (i32.eq (call $initial (local.get $o)) (i32.const 120)) (then (global.set $seen (i32.const 1))))
    (f64.convert_i32_s (i32.sub (i32.const 1) (global.get $seen))))
