#include "api/trace.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/executable.h"
#include "bind/bindings.h"
#include "bind/convert.h"
#include "bind/gil.h"
#include "bind/types.h"
#include "core/error.h"
#include "graph/text.h"

namespace addax::bind {
namespace {

using std::chrono::steady_clock;

// `with trace.label("dense"):`
struct Label {
  std::shared_ptr<Trace> trace;
  std::string text;
};

// `with eager():`
struct EagerBlock {};

std::vector<Operand> operands_of(const Items& items, std::string_view where) {
  std::vector<Operand> operands;
  for (const py::handle item : items) operands.push_back(operand_from_python(item, where));
  return operands;
}

// Arguments of an executable: concrete, also while another trace is open.
std::vector<Tensor> concrete_tensors(const Items& items) {
  const TraceScope eagerly(nullptr);
  std::vector<Tensor> tensors;
  for (const Operand& operand : operands_of(items, "run")) tensors.push_back(to_tensor(operand));
  return tensors;
}

TensorType tensor_type(const std::vector<int64_t>& shape, const py::object& dtype) {
  return {dtype_from_python(dtype), Shape(shape)};
}

std::vector<Tensor> run(Executable& self, const Items& inputs) {
  const std::vector<Tensor> tensors = concrete_tensors(inputs);
  const GilRelease release;
  return self.run(tensors);
}

void require_steps(const std::string& where, int64_t n_steps) {
  if (n_steps < 1) {
    throw InvalidArgumentError("[" + where + "] n_steps must be at least 1, got " +
                               std::to_string(n_steps));
  }
}

std::vector<Tensor> run_steps(Executable& self, const Items& inputs, int64_t n_steps,
                              const py::object& progress, double interval) {
  require_steps("run_steps", n_steps);
  if (!(interval > 0)) {
    throw InvalidArgumentError("[run_steps] interval must be a positive number of seconds");
  }
  const std::vector<Tensor> tensors = concrete_tensors(inputs);
  constexpr double kSignalInterval = 0.05;
  auto reported = steady_clock::now();
  const auto poll = [&](uint64_t steps_done) {
    const GilAcquire acquire;
    // Does something on the main thread only, as Python's signal handlers do.
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    const auto now = steady_clock::now();
    if (progress.is_none() || now - reported < std::chrono::duration<double>(interval)) return true;
    reported = now;
    progress(steps_done);
    return true;
  };
  std::vector<Tensor> outputs;
  {
    const GilRelease release;
    outputs = self.run_steps(tensors, static_cast<uint64_t>(n_steps), poll,
                             std::min(interval, kSignalInterval));
  }
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  return outputs;
}

std::unique_ptr<Rehearsal> rehearse(const Executable& self, const Items& inputs,
                                    const std::string& device) {
  const std::vector<Tensor> tensors = concrete_tensors(inputs);
  Device& target = device_named(device);
  const GilRelease release;
  return self.rehearse(tensors, target);
}

std::unique_ptr<Executable> rebind(const Executable& self,
                                   std::vector<std::shared_ptr<Variable>> variables,
                                   const std::string& device) {
  if (std::ranges::find(variables, nullptr) != variables.end()) {
    throw InvalidArgumentError("[rebind] variables must not be None");
  }
  Device& target = device_named(device);
  const GilRelease release;
  return self.rebind(std::move(variables), target);
}

double run_rehearsal(Rehearsal& self, int64_t n_steps) {
  require_steps("rehearsal", n_steps);
  const GilRelease release;
  return self.run(static_cast<uint64_t>(n_steps));
}

void bind_executable(py::module_& module) {
  py::class_<Rehearsal>(module, "Rehearsal",
                        "Steps of an executable on copies of its variables, on any device.")
      .def("run", &run_rehearsal, py::arg("n_steps"),
           "Returns the seconds that so many steps take. Each call begins from the variables' "
           "values.");

  py::class_<Executable>(module, "Executable",
                         "A compiled graph, bound to the variables that it reads and updates.\n\n"
                         "May be run from several threads; runs that update a variable wait for "
                         "each other.")
      .def("run", &run, py::arg("inputs"), "Runs once and returns the outputs.")
      .def("run_steps", &run_steps, py::arg("inputs"), py::arg("n_steps"),
           py::arg("progress") = py::none(), py::arg("interval") = 0.1,
           "Runs `n_steps` steps on the same inputs and returns the last step's outputs.\n\n"
           "`progress(steps_done)` is called about every `interval` seconds; what it raises ends "
           "the\nrun after the step in progress, and so does Ctrl-C. Variables keep the state of "
           "the last\nstep that was finished.")
      .def("rehearse", &rehearse, py::arg("inputs"), py::arg("device"),
           "Compiles the same step for a device, to try it there: nothing that it reads changes.")
      .def("rebind", &rebind, py::arg("variables"), py::arg("device"),
           "Compiles the same step for a device, with variables there in the place of its own.")
      .def(
          "with_samples", &Executable::with_samples, py::arg("drawn"), py::arg("samples"),
          py::call_guard<GilRelease>(),
          "The same step, drawn from another number of samples, sooner than compiled anew.\n\n"
          "`drawn` of the inputs, the first, have an element for each sample. None where the step\n"
          "does more with those than to draw from them.")
      .def(
          "source", [](const Executable& self) { return to_text(self.source()); },
          "The graph as it was recorded, before optimization, as text.")
      .def_property_readonly("variables", &Executable::variables, "Variables read or updated.")
      .def_property_readonly(
          "device", [](const Executable& self) { return self.device().name(); },
          "Name of the device it is compiled for.")
      .def_property_readonly(
          "num_nodes", [](const Executable& self) { return self.program().num_nodes(); },
          "Nodes that the device executes in a step.")
      .def_property_readonly(
          "arena_bytes", [](const Executable& self) { return self.program().arena_bytes(); },
          "Scratch memory of a run.")
      .def_property_readonly(
          "flops", [](const Executable& self) { return self.program().flops(); },
          "Floating-point operations of one step.")
      .def(
          "text", [](const Executable& self) { return to_text(self.graph()); },
          "The optimized graph as text.")
      .def(
          "dot", [](const Executable& self) { return to_dot(self.graph()); },
          "The optimized graph as Graphviz source.");
}

}  // namespace

void bind_trace(py::module_& module) {
  bind_executable(module);

  py::class_<Label>(module, "Label", "Names the ops called within its `with` block.")
      .def("__enter__", [](const Label& self) { self.trace->push_label(self.text); })
      .def("__exit__", [](const Label& self, const Arguments&) { self.trace->pop_label(); });
  py::class_<EagerBlock>(module, "EagerBlock", "Runs ops at once within its `with` block.")
      .def("__enter__", [](const EagerBlock&) { push_trace(nullptr); })
      .def("__exit__", [](const EagerBlock&, const Arguments&) { pop_trace(nullptr); });

  py::class_<Trace, std::shared_ptr<Trace>>(
      module, "Trace",
      "A graph under construction: ops called in its `with` block are recorded, not run.\n\n"
      "Belongs to the thread that opened it.")
      .def(py::init([](std::string name, bool capture) {
             return std::make_shared<Trace>(
                 std::move(name), capture ? Trace::Captures::Inputs : Trace::Captures::Refused);
           }),
           py::arg("name") = "main", py::arg("capture") = false,
           "With `capture` concrete tensors that ops meet become further inputs; else they raise.")
      .def_property_readonly("captured", &Trace::captured,
                             "The concrete tensors that became inputs, in the inputs' order.")
      .def("__enter__",
           [](const std::shared_ptr<Trace>& self) {
             push_trace(self);
             return self;
           })
      .def("__exit__",
           [](const std::shared_ptr<Trace>& self, const Arguments&) { pop_trace(self.get()); })
      .def_property_readonly("name", &Trace::name, "Name of the graph.")
      .def_property_readonly("is_finished", &Trace::is_finished, "Whether `finish` was called.")
      .def(
          "input",
          [](Trace& self, const std::vector<int64_t>& shape, const py::object& dtype,
             const std::string& name) { return self.input(tensor_type(shape, dtype), name); },
          py::arg("shape"), py::arg("dtype") = "float32", py::arg("name") = "input",
          "A new input of the graph.")
      .def(
          "label",
          [](const std::shared_ptr<Trace>& self, const std::string& text) {
            return Label{self, text};
          },
          py::arg("text"),
          "A context manager: ops called in it carry this name in profiles and texts.")
      .def(
          "finish",
          [](Trace& self, const std::vector<Tensor>& outputs, const py::object& device) {
            Device& target = device_from_python(device);
            const GilRelease release;
            return self.finish(outputs, target);
          },
          py::arg("outputs"), py::arg("device") = py::none(),
          "Compiles the graph that gives `outputs`, and the assignments made, for a device.")
      .def(
          "text", [](const Trace& self) { return to_text(self.graph()); },
          "The graph so far as text, before optimization.");

  module.def(
      "is_tracing", [] { return Trace::current() != nullptr; },
      "Whether ops of this thread are recorded instead of run.");
  module.def(
      "current_trace",
      []() -> std::shared_ptr<Trace> {
        Trace* trace = Trace::current();
        return trace != nullptr ? trace->shared_from_this() : nullptr;
      },
      "The trace that ops of this thread go to, or None.");
  module.def(
      "eager", [] { return EagerBlock{}; },
      "A context manager in which ops run at once although a trace is open.");
  module.def(
      "gradients",
      [](const Tensor& loss, const Items& wrt) {
        Trace* trace = Trace::current();
        if (trace == nullptr) {
          throw InvalidArgumentError(
              "[gradients] works inside of a trace only; use addax.grad for functions");
        }
        return trace->gradients(loss, operands_of(wrt, "gradients"));
      },
      py::arg("loss"), py::arg("wrt"),
      "Gradients of the scalar `loss` by each of `wrt`, tensors or variables of the open trace.");
}

}  // namespace addax::bind
