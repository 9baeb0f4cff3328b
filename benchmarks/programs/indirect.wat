;; Indirect calls: n rounds through a table of four functions.
(module
  (type $step (func (param i32) (result i32)))
  (table funcref (elem $inc $turn $flip $triple))
  (func $inc (type $step) (i32.add (local.get 0) (i32.const 1)))
  (func $turn (type $step) (i32.rotl (local.get 0) (i32.const 5)))
  (func $flip (type $step) (i32.xor (local.get 0) (i32.const 0x55AA)))
  (func $triple (type $step) (i32.mul (local.get 0) (i32.const 3)))
  (func (export "run") (param $n i32) (result i32)
    (local $x i32)
    (loop $next
      (local.set $x
        (call_indirect (type $step) (local.get $x) (i32.and (local.get $n) (i32.const 3))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
