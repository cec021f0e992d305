#include "cpu/runtime/status.h"

#include "addax/device.hpp"
#include "core/error.h"

namespace addax::cpu {

void report_exception(adx_status* status) {
  try {
    throw;
  } catch (const Error& error) {
    plugin::report(status, static_cast<adx_code>(error.code()), error.what());
  } catch (...) {
    plugin::report_exception(status);
  }
}

}  // namespace addax::cpu
