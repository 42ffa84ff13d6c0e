  ;; Writes 150 lines at level warn, then judges everything 0.
  (import "diapason:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (local $i i32)
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (i32.const 150)))
        (call $write (i32.const 2) (i32.const 48) (i32.const 18))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (f64.const 0))
