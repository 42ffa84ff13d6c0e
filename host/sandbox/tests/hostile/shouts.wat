  ;; Writes lines to the log without end.
  (import "diapason:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (loop $next (call $write (i32.const 1) (i32.const 20000) (i32.const 40000)) (br $next))
    (f64.const 0))
