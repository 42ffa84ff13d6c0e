  ;; Well-behaved: 1 where the first completion is the reference, byte by byte, else 0.
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (local $text i32) (local $i i32)
    (if (i32.eqz (i32.load8_u offset=16 (local.get $o))) (then (return (f64.const 0))))
    (local.set $text (i32.load offset=64 (local.get $o)))
    (if (i32.ne (i32.load offset=4 (local.get $text)) (i32.load offset=24 (local.get $o))) (then (return (f64.const 0))))
    (block $same
      (loop $next
        (br_if $same (i32.eq (local.get $i) (i32.load offset=24 (local.get $o))))
        (if (i32.ne
              (i32.load8_u (i32.add (i32.load (local.get $text)) (local.get $i)))
              (i32.load8_u (i32.add (i32.load offset=20 (local.get $o)) (local.get $i))))
          (then (return (f64.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (f64.const 1))
