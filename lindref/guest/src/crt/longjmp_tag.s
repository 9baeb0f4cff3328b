# The tag that longjmp throws, with the address of the jump's buffer and value.
# Weak: compilers before LLVM 22 define it in every object that throws it.
	.tagtype	__c_longjmp i32
	.globl	__c_longjmp
	.weak	__c_longjmp
__c_longjmp:
