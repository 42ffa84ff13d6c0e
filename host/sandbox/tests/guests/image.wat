  ;; What gives back any bytes: memory from its text in hexadecimal. Its first byte is the number of results; the results
  ;; begin at its eighth. It is placed at 131072, so that pointers can be made that hit it.
  ;; Any settings are taken: `about` names {} as their schema.
  (data (i32.const 240) "{}")
  (data (i32.const 280) "\f0\00\00\00\02\00\00\00")
  (func $start (drop (memory.grow (i32.const 16)))) (start $start)

  (func $digit (param $at i32) (result i32)
    (local $c i32)
    (local.set $c (i32.load8_u (local.get $at)))
    (select
      (i32.sub (local.get $c) (i32.const 48))
      (i32.sub (local.get $c) (i32.const 87))
      (i32.lt_u (local.get $c) (i32.const 58))))

  ;; ok(list) of the image in the hexadecimal text at $text.
  (func $image (param $text i32) (param $length i32) (result i32)
    (local $i i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (i32.add (local.get $i) (i32.const 1)) (local.get $length)))
        (br_if $done (i32.ge_u (local.get $i) (i32.const 60000)))
        (i32.store8 offset=131072
          (i32.shr_u (local.get $i) (i32.const 1))
          (i32.add
            (i32.shl (call $digit (i32.add (local.get $text) (local.get $i))) (i32.const 4))
            (call $digit (i32.add (local.get $text) (i32.add (local.get $i) (i32.const 1))))))
        (local.set $i (i32.add (local.get $i) (i32.const 2)))
        (br $next)))
    (call $ok (i32.const 131080) (i32.load8_u (i32.const 131072))))
