#include "bind/gil.h"

#include <unistd.h>

namespace addax::bind {
namespace {

// What `take` throws is the unwinding by which a thread is ended; it goes no further.
template <class Take>
auto take_or_stay(Take take) noexcept {
  try {
    return take();
  } catch (...) {
    for (;;) pause();
  }
}

}  // namespace

void restore_gil(PyThreadState* state) {
  take_or_stay([=] { PyEval_RestoreThread(state); });
}

GilAcquire::GilAcquire() : state_(take_or_stay([] { return PyGILState_Ensure(); })) {}

}  // namespace addax::bind
