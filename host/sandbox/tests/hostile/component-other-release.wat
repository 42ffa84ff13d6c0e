(component
  (instance $i)
  (export "diapason:plugin/about@0.2.0" (instance $i))
  (export "diapason:plugin/evaluator@0.2.0" (instance $i)))
