#include "cpu/pool/pool_kernels.inl"

namespace addax::cpu {

const PoolKernels<float> kPoolPortableF32 = kPoolTable<float>;
const PoolKernels<double> kPoolPortableF64 = kPoolTable<double>;

}  // namespace addax::cpu
