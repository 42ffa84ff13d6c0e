  ;; The number of tokens of the text "refused", as the host's tokenizer has it; -1 where the host says no.
  (import "diapason:plugin/tokenizer@0.1.0" "encode" (func $encode (param i32 i32 i32)))
  (data (i32.const 320) "\c4\00\00\00\07\00\00\00")
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (call $encode (i32.const 320) (i32.const 1) (i32.const 336))
    (if (i32.load (i32.const 336)) (then (return (f64.const -1))))
    (f64.convert_i32_u (i32.load offset=4 (i32.load (i32.const 340)))))
