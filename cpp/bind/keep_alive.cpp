#include <mutex>
#include <vector>

#include "bind/convert.h"

namespace addax::bind {
namespace {

// Objects whose owner in C++ is gone. Dropping a reference may run any Python code and needs the
// GIL, and the last owner may hold locks or lack the GIL: so references are dropped later, by the
// interpreter, between two of its instructions.
class Graveyard {
 public:
  void bury(PyObject* object) {
    const std::lock_guard lock(mutex_);
    objects_.push_back(object);
    if (!scheduled_) scheduled_ = Py_AddPendingCall(&Graveyard::drop_all, this) == 0;
  }

 private:
  static int drop_all(void* self) {
    auto& graveyard = *static_cast<Graveyard*>(self);
    std::vector<PyObject*> objects;
    {
      const std::lock_guard lock(graveyard.mutex_);
      objects.swap(graveyard.objects_);
      graveyard.scheduled_ = false;
    }
    for (PyObject* object : objects) Py_DECREF(object);
    return 0;
  }

  std::mutex mutex_;
  std::vector<PyObject*> objects_;
  bool scheduled_ = false;
};

}  // namespace

std::shared_ptr<void> keep_alive(py::object object) {
  static Graveyard graveyard;
  return {object.release().ptr(), [](void* owned) {
            // Buffers may outlive the interpreter.
            if (Py_IsInitialized() != 0) graveyard.bury(static_cast<PyObject*>(owned));
          }};
}

}  // namespace addax::bind
