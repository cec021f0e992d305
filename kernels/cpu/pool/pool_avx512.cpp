#include "cpu/pool/pool_kernels.inl"

namespace addax::cpu {

const PoolKernels<float> kPoolAvx512F32 = kPoolTable<float>;
const PoolKernels<double> kPoolAvx512F64 = kPoolTable<double>;

}  // namespace addax::cpu
