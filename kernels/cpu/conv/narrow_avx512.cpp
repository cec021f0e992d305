#define ADDAX_ISA avx512
#define ADDAX_VECTOR_BYTES 64
#include "cpu/conv/narrow_kernels.inl"
