  ;; A chat template that renders the first turn's content and nothing else; traps where that begins with x.
  ;; conversation = 20: messages at 0. message = 28: content at 8. segment = 12: text at 0, learn at 8.
  ;; include prelude.wat
  (func $content (param $conversation i32) (result i32)
    (local $content i32)
    (local.set $content (i32.add (i32.load (local.get $conversation)) (i32.const 8)))
    (if (i32.eq (i32.load8_u (i32.load (local.get $content))) (i32.const 120)) (then (unreachable)))
    (local.get $content))
  (func (export "diapason:plugin/chat-template@0.1.0#render-prompt") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (local $texts i32) (local $i i32)
    (local.set $texts (call $alloc (i32.mul (local.get $n) (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (memory.copy
          (i32.add (local.get $texts) (i32.mul (local.get $i) (i32.const 8)))
          (call $content (i32.add (local.get $list) (i32.mul (local.get $i) (i32.const 20))))
          (i32.const 8))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $texts) (local.get $n)))
  (func (export "diapason:plugin/chat-template@0.1.0#render-training") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (local $lists i32) (local $segment i32) (local $i i32)
    (local.set $lists (call $alloc (i32.mul (local.get $n) (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $n)))
        (local.set $segment (call $alloc (i32.const 12)))
        (memory.copy
          (local.get $segment)
          (call $content (i32.add (local.get $list) (i32.mul (local.get $i) (i32.const 20))))
          (i32.const 8))
        (i32.store8 offset=8 (local.get $segment) (i32.const 1))
        (i32.store (i32.add (local.get $lists) (i32.mul (local.get $i) (i32.const 8))) (local.get $segment))
        (i32.store offset=4 (i32.add (local.get $lists) (i32.mul (local.get $i) (i32.const 8))) (i32.const 1))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $lists) (local.get $n)))
