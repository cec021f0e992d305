#define ADDAX_ISA portable
#define ADDAX_VECTOR_BYTES 16
#include "cpu/map_reduce/tape_ops.inl"
