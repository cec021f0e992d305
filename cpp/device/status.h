#pragma once

#include <string_view>

#include "addax/device.h"

namespace addax {

// The status that a call across the ABI fills in.
class Status {
 public:
  Status();

  adx_status* get() { return &raw_; }
  bool ok() const { return raw_.code == ADX_OK; }
  std::string_view message() const;
  int32_t code() const { return raw_.code; }

  // Throws the typed error of a failure; its message begins with "[context] " unless the device
  // gave one that begins with a bracket.
  void check(std::string_view context) const {
    if (!ok()) raise(context);
  }

 private:
  [[noreturn]] void raise(std::string_view context) const;

  adx_status raw_;
};

}  // namespace addax
