#pragma once

#include <cstddef>
#include <exception>
#include <new>

#include "addax/device.h"
#include "core/error.h"

namespace addax::cpu {

// Copies the message, cut to what a status holds.
void set_status(adx_status* status, adx_code code, const char* message);

// Runs `body` and turns what it throws into `status`; the result is then a default one. No
// exception crosses the ABI.
template <class Body>
auto guarded(adx_status* status, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error& error) {
    set_status(status, static_cast<adx_code>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    set_status(status, ADX_OUT_OF_MEMORY, "[cpu] the host is out of memory");
  } catch (const std::exception& error) {
    set_status(status, ADX_INTERNAL, error.what());
  }
  return decltype(body())();
}

}  // namespace addax::cpu
