  ;; A chat template that renders whatever bytes it is told to: those of the first turn's content. conversation: messages at
  ;; 0. message: content at 8.
  ;; include prelude.wat
  ;; include image.wat
  (func $rendered (param $list i32) (result i32)
    (local $message i32)
    (local.set $message (i32.load (local.get $list)))
    (call $image (i32.load offset=8 (local.get $message)) (i32.load offset=12 (local.get $message))))
  (func (export "diapason:plugin/chat-template@0.1.0#render-prompt") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (call $rendered (local.get $list)))
  (func (export "diapason:plugin/chat-template@0.1.0#render-training") (param $s i32) (param $sl i32) (param $list i32) (param $n i32) (result i32)
    (call $rendered (local.get $list)))
