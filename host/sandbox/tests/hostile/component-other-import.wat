(component (import "acme:secrets/store" (instance (export "get" (func)))))
