#pragma once

#include <Python.h>

namespace addax::bind {

// Waits for the GIL, as PyEval_RestoreThread. Where the interpreter has ended meanwhile, Python
// would end the thread by unwinding its stack, which C++ does not survive; it waits for the end of
// the process instead.
void restore_gil(PyThreadState* state);

// Lets other Python threads run while it lives.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() { restore_gil(state_); }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

// Holds the GIL while it lives, in any thread. Waits as restore_gil does.
class GilAcquire {
 public:
  GilAcquire();
  ~GilAcquire() { PyGILState_Release(state_); }
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace addax::bind
