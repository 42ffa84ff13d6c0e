(component (instance $i) (export "diapason:plugin/evaluator@0.1.0" (instance $i)))
