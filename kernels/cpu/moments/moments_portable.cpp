#define ADDAX_ISA portable
#define ADDAX_VECTOR_BYTES 16
#include "cpu/moments/moments_kernels.inl"
