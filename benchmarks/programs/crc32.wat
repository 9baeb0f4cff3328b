;; A table in memory: CRC-32 of the first n bytes (at most 65536) of 0, 1, 2, … mod 251.
(module
  (memory 2)
  (func $prepare
    (local $i i32) (local $c i32) (local $k i32)
    (loop $byte
      (local.set $c (local.get $i))
      (local.set $k (i32.const 8))
      (loop $bit
        (local.set $c
          (i32.xor
            (i32.shr_u (local.get $c) (i32.const 1))
            (i32.and (i32.sub (i32.const 0) (i32.and (local.get $c) (i32.const 1))) (i32.const 0xEDB88320))))
        (br_if $bit (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $c))
      (br_if $byte (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256)))))
  (func $fill (param $n i32)
    (local $i i32)
    (loop $next
      (i32.store8 offset=1024 (local.get $i) (i32.rem_u (local.get $i) (i32.const 251)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $c i32)
    (call $prepare)
    (call $fill (local.get $n))
    (local.set $c (i32.const -1))
    (loop $next
      (local.set $c
        (i32.xor
          (i32.load
            (i32.shl
              (i32.and
                (i32.xor (local.get $c) (i32.load8_u offset=1024 (local.get $i)))
                (i32.const 255))
              (i32.const 2)))
          (i32.shr_u (local.get $c) (i32.const 8))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.xor (local.get $c) (i32.const -1))))
