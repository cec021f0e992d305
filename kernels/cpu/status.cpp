#include "cpu/status.h"

#include <algorithm>
#include <cstring>

namespace addax::cpu {

void set_status(adx_status* status, adx_code code, const char* message) {
  if (status == nullptr) return;
  status->code = code;
  const size_t length = std::min(std::strlen(message), sizeof(status->message) - 1);
  std::memcpy(status->message, message, length);
  status->message[length] = '\0';
}

}  // namespace addax::cpu
