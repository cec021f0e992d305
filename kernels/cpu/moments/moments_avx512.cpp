#define ADDAX_ISA avx512
#define ADDAX_VECTOR_BYTES 64
#include "cpu/moments/moments_kernels.inl"
