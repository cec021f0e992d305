#include "device/status.h"

#include <cstring>
#include <string>

#include "core/error.h"

namespace addax {

// The message is long and nearly always unused, so only its first byte is set.
Status::Status() {
  raw_.struct_size = sizeof(adx_status);
  raw_.code = ADX_OK;
  raw_.message[0] = '\0';
}

std::string_view Status::message() const {
  return {raw_.message, strnlen(raw_.message, sizeof raw_.message)};
}

void Status::raise(std::string_view context) const {
  const bool known = raw_.code > ADX_OK && raw_.code < ADX_INTERRUPTED;
  std::string text(message());
  if (text.empty()) text = "the device gave no reason";
  if (raw_.code == ADX_INTERRUPTED) {
    text += " (interrupted, which nobody asked for)";
  } else if (!known) {
    text += " (unknown error code " + std::to_string(raw_.code) + ")";
  }
  if (!text.starts_with('[')) text = "[" + std::string(context) + "] " + text;
  throw_error(known ? static_cast<ErrorCode>(raw_.code) : ErrorCode::Device, text);
}

void Status::raise_nothing(std::string_view function, std::string_view context) {
  throw DeviceError("[" + std::string(context) + "] the device's function '" +
                    std::string(function) + "' gave neither a result nor an error");
}

}  // namespace addax
