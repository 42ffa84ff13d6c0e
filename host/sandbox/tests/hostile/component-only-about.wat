(component (instance $i) (export "diapason:plugin/about@0.1.0" (instance $i)))
