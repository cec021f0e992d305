#include "cpu/pool/pool_kernels.inl"

namespace addax::cpu {

const PoolKernels<float> kPoolAvx2F32 = kPoolTable<float>;
const PoolKernels<double> kPoolAvx2F64 = kPoolTable<double>;

}  // namespace addax::cpu
