#define ADDAX_ISA avx2
#define ADDAX_VECTOR_BYTES 32
#include "cpu/moments/moments_kernels.inl"
