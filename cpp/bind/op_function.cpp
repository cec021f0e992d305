#include "bind/op_function.h"

#include <structmember.h>

#include <memory>
#include <optional>
#include <span>

#include "bind/attributes.h"
#include "bind/call.h"
#include "bind/convert.h"
#include "bind/errors.h"
#include "core/error.h"

namespace addax::bind {
namespace {

// A Python object of the type Op. A type of its own rather than a builtin function: it is called by
// the vectorcall protocol and has a signature with annotations, which builtins cannot.
struct OpObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  const OpSignature* signature;
  PyObject* module_name;
};

const OpSignature& signature_of(PyObject* self) {
  return *reinterpret_cast<OpObject*>(self)->signature;
}

using Arguments = std::span<PyObject* const>;

[[noreturn]] void throw_arguments(const OpSignature& signature, const std::string& message) {
  throw py::type_error("[" + signature.op.name + "] " + message + "; the signature is " +
                       signature.op.name + py::str(signature.inspect()).cast<std::string>());
}

bool is_list(PyObject* object) { return PyList_Check(object) != 0 || PyTuple_Check(object) != 0; }

// The arguments of one call, put where they belong.
class Call {
 public:
  explicit Call(const OpSignature& signature) : signature_(signature) {
    operands_.reserve(signature.op.inputs.size());
  }

  void positional(Arguments arguments) {
    const size_t inputs = signature_.op.inputs.size();
    size_t attrs_from = inputs;  // index of the first argument that is an attribute
    if (signature_.op.variadic) {
      const bool listed = arguments.size() >= inputs && is_list(arguments[inputs - 1]);
      if (!listed) attrs_from = arguments.size();
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (i >= attrs_from) {
        attribute_at(inputs + i - attrs_from, arguments[i]);
      } else if (signature_.op.variadic && i == inputs - 1 && is_list(arguments[i])) {
        const auto items = py::reinterpret_borrow<py::object>(arguments[i]);
        for (const py::handle item : items) operand(item.ptr());
      } else {
        operand(arguments[i]);
      }
    }
  }

  void keyword(PyObject* name, PyObject* value) {
    for (size_t i = 0; i < signature_.parameters.size(); ++i) {
      const OpSignature::Parameter& parameter = signature_.parameters[i];
      if (parameter.interned_name.ptr() != name &&
          PyUnicode_Compare(parameter.interned_name.ptr(), name) != 0) {
        continue;
      }
      if (parameter.attr != nullptr) {
        attribute(*parameter.attr, value);
      } else if (i == operands_.size() && !(signature_.op.variadic && i + 1 == inputs())) {
        operand(value);
      } else {
        throw_arguments(signature_,
                        "input '" + parameter.name + "' must come in its order and once");
      }
      return;
    }
    if (const AttrDef* attr = find_attribute(signature_.op, py::str(name).cast<std::string>())) {
      attribute(*attr, value);
      return;
    }
    // resolve_attrs reports it with the nearest name.
    attrs_.set(py::str(name).cast<std::string>(), false);
  }

  py::object run() {
    if (operands_.size() < inputs()) {
      throw_arguments(signature_,
                      "input '" + signature_.op.inputs[operands_.size()] + "' is missing");
    }
    return to_python(call_all(signature_.op, operands_, std::move(attrs_)));
  }

 private:
  size_t inputs() const { return signature_.op.inputs.size(); }

  void operand(PyObject* value) {
    operands_.push_back(operand_from_python(value, signature_.op.name));
  }

  void attribute_at(size_t parameter, PyObject* value) {
    if (parameter >= signature_.parameters.size() ||
        (signature_.parameters[parameter].keyword_only && !signature_.op.variadic)) {
      throw_arguments(signature_, "too many positional arguments");
    }
    attribute(*signature_.parameters[parameter].attr, value);
  }

  void attribute(const AttrDef& attr, PyObject* value) {
    if (attrs_.has(attr.name)) {
      throw_arguments(signature_, std::string(python_name(attr)) + " was given twice");
    }
    if (auto converted = attr_from_python(signature_.op, attr, value)) {
      attrs_.set(attr.name, std::move(*converted));
    }
  }

  const OpSignature& signature_;
  std::vector<Operand> operands_;
  Attrs attrs_;
};

PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t flags, PyObject* names) {
  try {
    const auto count = static_cast<size_t>(PyVectorcall_NARGS(flags));
    Call call(signature_of(self));
    call.positional({args, count});
    if (names != nullptr) {
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
        call.keyword(PyTuple_GET_ITEM(names, i), args[count + static_cast<size_t>(i)]);
      }
    }
    return call.run().release().ptr();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

template <typename Function>
PyObject* guarded(Function function) {
  try {
    return py::object(function()).release().ptr();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* get_name(PyObject* self, void*) {
  return guarded([&] { return py::str(signature_of(self).op.name); });
}
PyObject* get_doc(PyObject* self, void*) {
  return guarded([&] { return py::str(signature_of(self).doc()); });
}
PyObject* get_signature(PyObject* self, void*) {
  return guarded([&] { return signature_of(self).inspect(); });
}
PyObject* repr(PyObject* self) {
  return guarded([&] { return py::str("<op " + signature_of(self).op.name + ">"); });
}
PyObject* reduce(PyObject* self, PyObject*) { return get_name(self, nullptr); }

// Like a static method: an op stored in a class is not bound to instances.
PyObject* descriptor_get(PyObject* self, PyObject*, PyObject*) { return Py_NewRef(self); }

void dealloc(PyObject* self) {
  const std::unique_ptr<const OpSignature> dropped(&signature_of(self));
  Py_XDECREF(reinterpret_cast<OpObject*>(self)->module_name);
  Py_TYPE(self)->tp_free(self);
}

PyMemberDef members[] = {
    {"__module__", T_OBJECT, offsetof(OpObject, module_name), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef properties[] = {{"__name__", &get_name, nullptr, nullptr, nullptr},
                            {"__qualname__", &get_name, nullptr, nullptr, nullptr},
                            {"__doc__", &get_doc, nullptr, nullptr, nullptr},
                            {"__signature__", &get_signature, nullptr, nullptr, nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef methods[] = {{"__reduce__", &reduce, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

// A static type, as that of builtin functions: the module and docstring of a heap type would be
// hidden by those of its instances.
PyTypeObject make_type() {
  PyTypeObject type{};
  Py_SET_REFCNT(reinterpret_cast<PyObject*>(&type), 1);
  type.tp_name = "addax._core.Op";
  type.tp_doc = "An op of the registry as a function.";
  type.tp_basicsize = sizeof(OpObject);
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL;
  type.tp_vectorcall_offset = offsetof(OpObject, vectorcall);
  type.tp_call = &PyVectorcall_Call;
  type.tp_dealloc = &dealloc;
  type.tp_repr = &repr;
  type.tp_descr_get = &descriptor_get;
  type.tp_members = members;
  type.tp_getset = properties;
  type.tp_methods = methods;
  return type;
}
PyTypeObject op_type = make_type();

}  // namespace

void prepare_op_type() {
  if (PyType_Ready(&op_type) != 0) throw py::error_already_set();
}

py::object make_op_function(const OpDef& op, const std::string& module_name) {
  auto signature = std::make_unique<OpSignature>(op);
  auto object = py::reinterpret_steal<py::object>(op_type.tp_alloc(&op_type, 0));
  if (!object) throw py::error_already_set();
  auto* function = reinterpret_cast<OpObject*>(object.ptr());
  function->vectorcall = &vectorcall;
  function->module_name = py::str(module_name).release().ptr();
  function->signature = signature.release();
  return object;
}

}  // namespace addax::bind
