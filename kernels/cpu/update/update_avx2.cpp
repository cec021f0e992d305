#define ADDAX_ISA avx2
#define ADDAX_VECTOR_BYTES 32
#include "cpu/update/update_kernels.inl"
