  ;; The log-probability that the host's judge gives to the text "refused" after no messages at all.
  (import "diapason:plugin/model@0.1.0" "loglikelihood" (func $likelihood (param i32 i32 i32)))
  (data (i32.const 320) "\00\00\00\00\00\00\00\00\c4\00\00\00\07\00\00\00")
  ;; include each.wat
  (func $value (param $o i32) (result f64)
    (call $likelihood (i32.const 320) (i32.const 1) (i32.const 336))
    (if (i32.load (i32.const 336)) (then (return (f64.const 7))))
    (f64.load (i32.load (i32.const 340))))
