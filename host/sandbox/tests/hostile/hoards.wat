  ;; Takes memory until there is none on a sample whose id begins with x.
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (if (i32.eq (call $initial (local.get $o)) (i32.const 120))
      (then (loop $more (drop (memory.grow (i32.const 16))) (br $more))))
    (f64.const 1))
