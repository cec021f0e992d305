#pragma once

#include "addax/device.h"

namespace addax::cpu {

// As plugin::report_exception, for the errors that kernels throw as well.
void report_exception(adx_status* status);

}  // namespace addax::cpu
