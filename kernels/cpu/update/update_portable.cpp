#define ADDAX_ISA portable
#define ADDAX_VECTOR_BYTES 16
#include "cpu/update/update_kernels.inl"
