;; Exports the right names with nothing in them.
(component
  (instance $i)
  (export "diapason:plugin/about@0.1.0" (instance $i))
  (export "diapason:plugin/evaluator@0.1.0" (instance $i)))
