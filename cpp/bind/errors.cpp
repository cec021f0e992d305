#include "bind/errors.h"

#include <array>
#include <exception>
#include <new>
#include <string>

#include "api/errors.h"
#include "bind/convert.h"
#include "core/error.h"
#include "runtime/failed_run.h"
#include "runtime/value_check.h"

namespace addax::bind {
namespace {

namespace py = pybind11;

struct ExceptionClass {
  const char* name;
  PyObject** builtin_base;  // besides AddaxError
  const char* doc;
};

const std::array<ExceptionClass, 10> kClasses = {{
    {"InvalidArgumentError", &PyExc_ValueError, "An argument has a value that cannot be."},
    {"ShapeError", &PyExc_ValueError, "Shapes do not fit each other or the op."},
    {"DTypeError", &PyExc_TypeError, "A dtype is not supported, by the op or at all."},
    {"OutOfRangeError", &PyExc_IndexError,
     "An index, label or number is outside of its range.\n\n"
     "When a running program found it, `op`, `label` (the layer), `index` (flat, in the checked\n"
     "tensor), `value` and `step` (steps finished before) tell where; otherwise they are None."},
    {"OutOfMemoryError", &PyExc_MemoryError,
     "A device has no memory left; models stay usable.\n\n"
     "`step` as for DeviceError."},
    {"DeviceError", &PyExc_RuntimeError,
     "A device or its plug-in failed.\n\n"
     "When it did so in the midst of a running program, whose variables may be half updated then,\n"
     "`step` is the number of steps that were finished before; otherwise it is None."},
    {"UnsupportedError", &PyExc_NotImplementedError, "The device or Addax cannot do this."},
    {"IoError", &PyExc_OSError, "A file could not be read or written."},
    {"InternalError", &PyExc_RuntimeError, "A mistake in Addax itself; please report it."},
    {"TracedValueError", &PyExc_TypeError,
     "The numbers of a traced tensor were asked for, or a traced function uses a tensor that is\n"
     "neither its argument nor held in a Variable."},
}};
enum Class : size_t {
  kInvalidArgument,
  kShape,
  kDType,
  kOutOfRange,
  kOutOfMemory,
  kDevice,
  kUnsupported,
  kIo,
  kInternal,
  kTraced
};

// Owned by the module, which is never unloaded.
std::array<PyObject*, kClasses.size()> python_classes{};

PyObject* class_of(const Error& error) {
  if (dynamic_cast<const TracedValueError*>(&error) != nullptr) return python_classes[kTraced];
  switch (error.code()) {
    case ErrorCode::InvalidArgument:
      return python_classes[kInvalidArgument];
    case ErrorCode::Shape:
      return python_classes[kShape];
    case ErrorCode::DType:
      return python_classes[kDType];
    case ErrorCode::OutOfRange:
      return python_classes[kOutOfRange];
    case ErrorCode::OutOfMemory:
      return python_classes[kOutOfMemory];
    case ErrorCode::Device:
      return python_classes[kDevice];
    case ErrorCode::Unsupported:
      return python_classes[kUnsupported];
    case ErrorCode::Io:
      return python_classes[kIo];
    case ErrorCode::Interrupted:
      return PyExc_KeyboardInterrupt;
    case ErrorCode::Ok:
    case ErrorCode::Internal:
      break;
  }
  return python_classes[kInternal];
}

void raise_value_check(const ValueCheckError& error) {
  const FailedCheck& check = error.check();
  py::object exception = py::handle(python_classes[kOutOfRange])(text_to_python(error.what()));
  exception.attr("op") = check.op;
  exception.attr("label") = check.label;
  exception.attr("index") = check.index;
  exception.attr("value") = check.value;
  exception.attr("step") = check.step;
  PyErr_SetObject(python_classes[kOutOfRange], exception.ptr());
}

void raise_failed_run(const Error& error, const FailedRun& run) {
  py::object exception = py::handle(class_of(error))(text_to_python(error.what()));
  exception.attr("step") = run.step;
  PyErr_SetObject(class_of(error), exception.ptr());
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the signature is pybind11's.
void translate(std::exception_ptr pointer) {
  if (!pointer) return;
  try {
    std::rethrow_exception(pointer);
  } catch (const ValueCheckError& error) {
    raise_value_check(error);
  } catch (const Error& error) {
    if (const auto* const run = dynamic_cast<const FailedRun*>(&error)) {
      raise_failed_run(error, *run);
    } else {
      PyErr_SetObject(class_of(error), text_to_python(error.what()).ptr());
    }
  }
}

py::object new_class(const char* name, const py::handle& bases, const char* doc,
                     const py::dict& members = py::dict()) {
  const std::string full_name = std::string("addax.errors.") + name;
  return py::reinterpret_steal<py::object>(
      PyErr_NewExceptionWithDoc(full_name.c_str(), doc, bases.ptr(), members.ptr()));
}

}  // namespace

void bind_errors(py::module_& module) {
  const py::object base = new_class("AddaxError", PyExc_Exception, "Base of all errors of Addax.");
  module.add_object("AddaxError", base);
  for (size_t i = 0; i < kClasses.size(); ++i) {
    py::dict members;
    if (i == kOutOfRange) {
      for (const char* name : {"op", "label", "index", "value"}) members[name] = py::none();
    }
    if (i == kOutOfRange || i == kOutOfMemory || i == kDevice) members["step"] = py::none();
    const py::object type =
        new_class(kClasses[i].name, py::make_tuple(base, py::handle(*kClasses[i].builtin_base)),
                  kClasses[i].doc, members);
    if (!type) throw py::error_already_set();
    python_classes[i] = type.inc_ref().ptr();
    module.add_object(kClasses[i].name, type);
  }
  py::register_local_exception_translator(&translate);
}

void set_python_error() noexcept {
  try {
    try {
      throw;
    } catch (const Error&) {
      translate(std::current_exception());
    } catch (py::error_already_set& error) {
      error.restore();
    } catch (const py::builtin_exception& error) {
      error.set_error();
    } catch (const std::bad_alloc& error) {
      PyErr_SetString(PyExc_MemoryError, error.what());
    } catch (const std::exception& error) {
      PyErr_SetString(PyExc_RuntimeError, error.what());
    }
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "an error occurred while another was reported");
  }
}

}  // namespace addax::bind
