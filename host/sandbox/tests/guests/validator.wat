  ;; A validator: a finding for each row that begins with f, a trap for one that begins with x, and at the end a finding
  ;; whose line is the number of rows. A row that begins with q is refused.
  ;; row = 20: split at 0, line at 8, text at 12. finding = 48.
  (import "[export]diapason:plugin/validator@0.1.0" "[resource-new]validation" (func $new (param i32) (result i32)))
  ;; include prelude.wat
  (global $rows (mut i32) (i32.const 0))
  (func $finding (param $at i32) (param $split i32) (param $split_length i32) (param $line i32)
    (memory.fill (local.get $at) (i32.const 0) (i32.const 48))
    (i32.store offset=4 (local.get $at) (i32.const 192))
    (i32.store offset=8 (local.get $at) (i32.const 1))
    (i32.store offset=12 (local.get $at) (local.get $split))
    (i32.store offset=16 (local.get $at) (local.get $split_length))
    (i32.store offset=20 (local.get $at) (local.get $line)))
  (func (export "diapason:plugin/validator@0.1.0#[static]validation.start") (param i32 i32) (result i32)
    (call $ok (call $new (i32.const 1)) (i32.const 0)))
  (func (export "diapason:plugin/validator@0.1.0#[method]validation.push") (param $self i32) (param $row i32) (param $n i32) (result i32)
    (local $found i32) (local $count i32) (local $first i32)
    (local.set $found (call $alloc (i32.mul (local.get $n) (i32.const 48))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (global.set $rows (i32.add (global.get $rows) (i32.const 1)))
        (local.set $first (i32.load8_u (i32.load offset=12 (local.get $row))))
        (if (i32.eq (local.get $first) (i32.const 120)) (then (unreachable)))
        (if (i32.eq (local.get $first) (i32.const 113)) (then (return (call $err))))
        (if (i32.eq (local.get $first) (i32.const 102))
          (then
            (call $finding
              (i32.add (local.get $found) (i32.mul (local.get $count) (i32.const 48)))
              (i32.load (local.get $row)) (i32.load offset=4 (local.get $row)) (i32.load offset=8 (local.get $row)))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))))
        (local.set $row (i32.add (local.get $row) (i32.const 20)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (call $ok (local.get $found) (local.get $count)))
  (func (export "diapason:plugin/validator@0.1.0#[method]validation.finish") (param $self i32) (result i32)
    (local $found i32)
    (local.set $found (call $alloc (i32.const 48)))
    (call $finding (local.get $found) (i32.const 0) (i32.const 0) (global.get $rows))
    (call $ok (local.get $found) (i32.const 1)))
