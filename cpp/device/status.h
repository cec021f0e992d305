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
  // The object that `function` of the device's table made; DeviceError where it gave neither an
  // object nor an error.
  template <class T>
  T* made(T* object, std::string_view function, std::string_view context) const {
    check(context);
    if (object == nullptr) raise_nothing(function, context);
    return object;
  }

 private:
  [[noreturn]] void raise(std::string_view context) const;
  [[noreturn]] static void raise_nothing(std::string_view function, std::string_view context);

  adx_status raw_;
};

}  // namespace addax
