  ;; What every test guest has: a memory, an allocator that never frees, `about`, and helpers that write results.
  ;;
  ;; Layouts (canonical ABI, sizes in bytes): string and list = pointer, length. observation = 80: the sample at 0 (id at 0,
  ;; reference option<string> at 16), completions at 64. completion = 16: text at 0. judgement = 20: tag at 0 (0 scored,
  ;; 1 unscored), its list or string at 4, notes at 12. measure = 16: name at 0, value at 8. measure-info = 48. request = 12.
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 2048))

  (data (i32.const 16) "test-guest")
  (data (i32.const 32) "1.2.3")
  (data (i32.const 48) "A guest for tests.")
  (data (i32.const 80) "{\22type\22:\22object\22,\22properties\22:{\22k\22:{\22type\22:\22integer\22}},\22additionalProperties\22:false}")
  (data (i32.const 192) "m")
  (data (i32.const 196) "refused")
  (data (i32.const 256) "\10\00\00\00\0a\00\00\00\20\00\00\00\05\00\00\00\30\00\00\00\12\00\00\00\50\00\00\00\54\00\00\00")

  (func $alloc (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (block $enough
      (loop $grow
        (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.const 16)))
        (br $grow)))
    (local.get $at))

  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (call $alloc (local.get $size)))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_size))
    (local.get $at))

  (func (export "diapason:plugin/about@0.1.0#about") (result i32) (i32.const 256))

  ;; ok(list)
  (func $ok (param $list i32) (param $length i32) (result i32)
    (local $result i32)
    (local.set $result (call $alloc (i32.const 12)))
    (i32.store (local.get $result) (i32.const 0))
    (i32.store offset=4 (local.get $result) (local.get $list))
    (i32.store offset=8 (local.get $result) (local.get $length))
    (local.get $result))

  ;; err("refused")
  (func $err (result i32)
    (local $result i32)
    (local.set $result (call $ok (i32.const 196) (i32.const 7)))
    (i32.store (local.get $result) (i32.const 1))
    (local.get $result))

  ;; Writes a judgement: scored, measure `m` with this value, no notes.
  (func $judge (param $at i32) (param $value f64)
    (local $measure i32)
    (local.set $measure (call $alloc (i32.const 16)))
    (i32.store (local.get $measure) (i32.const 192))
    (i32.store offset=4 (local.get $measure) (i32.const 1))
    (f64.store offset=8 (local.get $measure) (local.get $value))
    (i32.store (local.get $at) (i32.const 0))
    (i32.store offset=4 (local.get $at) (local.get $measure))
    (i32.store offset=8 (local.get $at) (i32.const 1))
    (i32.store offset=12 (local.get $at) (i32.const 0))
    (i32.store offset=16 (local.get $at) (i32.const 0)))

  ;; The first byte of an observation's sample id.
  (func $initial (param $observation i32) (result i32)
    (i32.load8_u (i32.load (local.get $observation))))

  ;; ok([m]): one measure, neither binary nor bounded.
  (func $described (result i32)
    (local $info i32)
    (local.set $info (call $alloc (i32.const 48)))
    (memory.fill (local.get $info) (i32.const 0) (i32.const 48))
    (i32.store (local.get $info) (i32.const 192))
    (i32.store offset=4 (local.get $info) (i32.const 1))
    (i32.store8 offset=16 (local.get $info) (i32.const 1))
    (call $ok (local.get $info) (i32.const 1)))
