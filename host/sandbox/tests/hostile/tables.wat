  ;; Grows a table until it cannot on a sample whose id begins with x.
  (table $t 1 funcref)
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (if (i32.eq (call $initial (local.get $o)) (i32.const 120))
      (then (loop $more (drop (table.grow $t (ref.null func) (i32.const 65536))) (br $more))))
    (f64.const 1))
