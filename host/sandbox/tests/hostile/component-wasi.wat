(component (import "wasi:filesystem/types@0.2.0" (instance (export "read" (func)))))
