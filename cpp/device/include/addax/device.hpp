// A device in C++20: header only, on top of addax/device.h. `device_api` makes the table of any
// device out of the classes behind its handles. `Program` is the class of programs, out of a table
// of kernels, for devices whose buffers have addresses that kernels can use and whose queues are
// synchronous.
//
//   void add(const plugin::Call& call) {
//     const float *a = call.input<float>(0), *b = call.input<float>(1);
//     float* sum = call.output<float>();
//     for (int64_t i = 0; i < call.node.output().elements(); ++i) sum[i] = a[i] + b[i];
//   }
//   constexpr plugin::Kernel kKernels[] = {{"add", takes_equal_floats, add}, ...};
//
//   struct adx_program : plugin::Program { using Program::Program; };
//   struct adx_device {
//     void supports(const adx_graph& graph, uint8_t* mask) {
//       plugin::supports(graph, kKernels, mask);
//     }
//     std::unique_ptr<adx_program> compile(const adx_graph& graph) {
//       return std::make_unique<adx_program>(graph, kKernels, *the_host, address_of);
//     }
//     ...
//   };
//   constexpr adx_device_api kApi = plugin::device_api();
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "addax/device.h"

namespace addax::plugin {

// Thrown by a plug-in's code to become the status.
struct Failure {
  adx_code code;
  std::string text;
};

inline void report(adx_status* status, adx_code code, std::string_view text) {
  status->code = code;
  status->message[text.copy(status->message, sizeof status->message - 1)] = '\0';
}

// Puts the exception that is being handled into the status; called in a handler.
inline void report_exception(adx_status* status) {
  try {
    throw;
  } catch (const Failure& failure) {
    report(status, failure.code, failure.text);
  } catch (const std::bad_alloc&) {
    report(status, ADX_OUT_OF_MEMORY, "the host has no memory left");
  } catch (const std::exception& error) {
    report(status, ADX_DEVICE, error.what());
  } catch (...) {
    report(status, ADX_DEVICE, "unknown exception");
  }
}

// Runs `body`; what it throws becomes the status by `kReport`, and the result an empty one.
template <void (*kReport)(adx_status*) = report_exception, class Body>
auto guarded(adx_status* status, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    kReport(status);
  }
  return decltype(body())();
}

// Copies a text into an array of a struct, cut to what fits.
template <size_t kSize>
void set_text(char (&to)[kSize], std::string_view text) {
  to[text.copy(to, kSize - 1)] = '\0';
}

// Element `index` of an array of ABI structs, which advance by the sender's struct_size.
template <class T>
const T& element(const T* first, int64_t index) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(first) +
                                     index * static_cast<int64_t>(first->struct_size));
}

inline uint64_t size_of(int32_t dtype) {
  constexpr uint8_t kBytes[] = {1, 1, 1, 4, 8, 2, 2, 4, 8};
  if (dtype < ADX_BOOL || dtype > ADX_FLOAT64) {
    throw Failure{ADX_DTYPE, "there is no dtype " + std::to_string(dtype)};
  }
  return kBytes[dtype];
}

struct Tensor {
  int32_t id;  // in the graph
  adx_dtype dtype;
  std::vector<int64_t> dims;

  int rank() const { return static_cast<int>(dims.size()); }
  int64_t elements() const {
    int64_t count = 1;
    for (const int64_t extent : dims) count *= extent;
    return count;
  }
  uint64_t bytes() const { return static_cast<uint64_t>(elements()) * size_of(dtype); }
};

// One node, copied out of the graph.
class Node {
 public:
  Node(const adx_graph& graph, int32_t index) : Node(graph, element(graph.nodes, index)) {}

  const std::string& op() const { return op_; }
  const std::string& label() const { return label_; }
  double flops() const { return flops_; }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  const Tensor& input(size_t i) const { return inputs_.at(i); }
  const Tensor& output(size_t i = 0) const { return outputs_.at(i); }

  // Attributes; a Failure when there is none of this name and kind.
  bool flag(std::string_view name) const { return attr(name, ADX_ATTR_BOOL).i != 0; }
  int64_t integer(std::string_view name) const { return attr(name, ADX_ATTR_INT).i; }
  double number(std::string_view name) const { return attr(name, ADX_ATTR_FLOAT).f; }
  const std::string& text(std::string_view name) const { return attr(name, ADX_ATTR_STRING).s; }
  std::span<const int64_t> ints(std::string_view name) const {
    return attr(name, ADX_ATTR_INTS).ints;
  }
  adx_dtype dtype(std::string_view name) const {
    return static_cast<adx_dtype>(attr(name, ADX_ATTR_DTYPE).i);
  }

 private:
  struct Attr {
    std::string name;
    int32_t kind;
    int64_t i;
    double f;
    std::string s;
    std::vector<int64_t> ints;
  };

  Node(const adx_graph& graph, const adx_node& raw)
      : op_(raw.op),
        label_(raw.label),
        flops_(raw.flops),
        inputs_(tensors_of(graph, raw.inputs, raw.num_inputs)),
        outputs_(tensors_of(graph, raw.outputs, raw.num_outputs)) {
    for (int32_t i = 0; i < raw.num_attrs; ++i) {
      const adx_attr& a = element(raw.attrs, i);
      const bool is_text = a.kind == ADX_ATTR_STRING;
      const bool is_list = a.kind == ADX_ATTR_INTS;
      attrs_.push_back({a.name, a.kind, a.i, a.f, is_text ? a.s : "",
                        std::vector<int64_t>(a.ints, a.ints + (is_list ? a.count : 0))});
    }
  }

  static std::vector<Tensor> tensors_of(const adx_graph& graph, const int32_t* ids, int32_t count) {
    std::vector<Tensor> tensors;
    for (int32_t i = 0; i < count; ++i) {
      const adx_tensor& raw = element(graph.tensors, ids[i]);
      tensors.push_back({ids[i], static_cast<adx_dtype>(raw.dtype),
                         std::vector<int64_t>(raw.dims, raw.dims + raw.rank)});
    }
    return tensors;
  }

  const Attr& attr(std::string_view name, adx_attr_kind kind) const {
    for (const Attr& a : attrs_) {
      if (a.name == name && a.kind == kind) return a;
    }
    throw Failure{ADX_INVALID_ARGUMENT,
                  "[" + op_ + "] lacks the attribute '" + std::string(name) + "'"};
  }

  std::string op_;
  std::string label_;
  double flops_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<Attr> attrs_;
};

// A value check of a kernel that failed.
struct CheckFailure {
  int64_t index;
  double value;
};

// One execution of a node.
struct Call {
  const Node& node;
  std::byte* const* addresses;  // of the graph's tensors

  template <class T>
  const T* input(size_t i) const {
    return reinterpret_cast<const T*>(addresses[node.input(i).id]);
  }
  template <class T>
  T* output(size_t i = 0) const {
    return reinterpret_cast<T*>(addresses[node.output(i).id]);
  }
};

struct Kernel {
  std::string_view op;
  // Whether it takes a node of this op: looks at dtypes and extents.
  bool (*accepts)(const Node& node);
  // May throw Failure, and CheckFailure for a value that is out of range.
  void (*run)(const Call& call);
};

// Null when no kernel takes the node.
inline const Kernel* find_kernel(std::span<const Kernel> kernels, const Node& node) {
  const auto found = std::find_if(kernels.begin(), kernels.end(), [&](const Kernel& kernel) {
    return kernel.op == node.op() && kernel.accepts(node);
  });
  return found == kernels.end() ? nullptr : &*found;
}

// adx_device_api::supports.
inline void supports(const adx_graph& graph, std::span<const Kernel> kernels, uint8_t* mask) {
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    mask[i] = find_kernel(kernels, Node(graph, i)) != nullptr ? 1 : 0;
  }
}

// A compiled graph: each node with its kernel, and a copy of the constants. `kernels` and `host`
// must live as long. An asynchronous queue calls `run` when its turn comes, with copies of the
// bindings.
class Program {
 public:
  using Address = std::byte* (*)(adx_buffer* buffer);

  Program(const adx_graph& graph, std::span<const Kernel> kernels, const adx_host& host,
          Address address)
      : host_(host), address_(address) {
    for (int32_t i = 0; i < graph.num_tensors; ++i) keep(element(graph.tensors, i));
    for (int32_t i = 0; i < graph.num_nodes; ++i) {
      Node node(graph, i);
      const Kernel* const kernel = find_kernel(kernels, node);
      if (kernel == nullptr) {
        throw Failure{ADX_UNSUPPORTED, "[" + node.op() + "] the device has no kernel for it"};
      }
      steps_.push_back({std::move(node), kernel});
    }
  }

  // adx_device_api::run.
  void run(adx_queue&, const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
           uint64_t n_steps, adx_control* control) {
    resolve(arena, bindings, num_bindings);
    const bool traced = host_.trace_enabled() != 0;
    for (uint64_t step = 0; step < n_steps; ++step) {
      if (std::atomic_ref(control->stop).load(std::memory_order_relaxed) != 0) return;
      if (!run_step(traced, *control)) return;
      std::atomic_ref(control->steps_done).fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  struct Place {
    int32_t storage;
    int32_t binding;
    uint64_t offset;  // for constants, into constants_
  };
  struct Step {
    Node node;
    const Kernel* kernel;
  };
  static constexpr size_t kConstantAlignment = 16;

  void keep(const adx_tensor& raw) {
    Place place = {raw.storage, raw.binding, raw.offset};
    if (raw.storage == ADX_STORAGE_CONSTANT) {
      const Tensor tensor{0, static_cast<adx_dtype>(raw.dtype), {raw.dims, raw.dims + raw.rank}};
      place.offset =
          (constants_.size() + kConstantAlignment - 1) / kConstantAlignment * kConstantAlignment;
      constants_.resize(place.offset + tensor.bytes());
      if (tensor.bytes() > 0) {
        std::memcpy(constants_.data() + place.offset, raw.data, tensor.bytes());
      }
    }
    places_.push_back(place);
  }

  void resolve(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings) {
    const auto base_of = [&](const adx_binding& binding) {
      return address_(binding.buffer) + binding.offset;
    };
    addresses_.clear();
    for (const Place& place : places_) {
      std::byte* base = constants_.data();
      if (place.storage == ADX_STORAGE_ARENA) {
        base = arena->buffer == nullptr ? nullptr : base_of(*arena);
      } else if (place.storage == ADX_STORAGE_BINDING) {
        if (place.binding < 0 || place.binding >= num_bindings) {
          throw Failure{ADX_INVALID_ARGUMENT,
                        "binding " + std::to_string(place.binding) + " is not given"};
        }
        base = base_of(element(bindings, place.binding));
      }
      addresses_.push_back(base == nullptr ? nullptr : base + place.offset);
    }
  }

  bool run_step(bool traced, adx_control& control) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      const Step& step = steps_[i];
      const uint64_t begin = traced ? now_ns() : 0;
      try {
        step.kernel->run({step.node, addresses_.data()});
      } catch (const CheckFailure& failure) {
        control.failed_node = static_cast<int32_t>(i);
        control.failed_index = failure.index;
        control.failed_value = failure.value;
        return false;
      }
      if (traced) trace(step.node, begin);
    }
    return true;
  }

  void trace(const Node& node, uint64_t begin) const {
    uint64_t bytes = 0;
    for (const Tensor& tensor : node.inputs()) bytes += tensor.bytes();
    for (const Tensor& tensor : node.outputs()) bytes += tensor.bytes();
    host_.trace_span(node.op().c_str(), node.label().c_str(), begin, now_ns(), node.flops(),
                     static_cast<double>(bytes));
  }

  static uint64_t now_ns() {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
  }

  const adx_host& host_;
  Address address_;
  std::vector<Step> steps_;
  std::vector<Place> places_;
  std::vector<std::byte> constants_;
  std::vector<std::byte*> addresses_;  // of the tensors, in the present run
};

// The table of a device out of the classes behind its handles, which the plug-in defines before it
// calls this. They own what they hold: the host ends a handle, and with it the object, by its
// destructor. What a member throws becomes the status by `kReport`; destructors and members marked
// (*) have no status to fill in and must not throw. Arguments are valid during the call, as
// addax/device.h has it for the function of the table that the member stands for.
//
//   struct adx_device {
//     void describe(adx_properties& out);
//     std::unique_ptr<adx_buffer> allocate(uint64_t bytes);
//     std::unique_ptr<adx_buffer> wrap(void* host, uint64_t bytes);  // optional
//     uint64_t free_memory();                                        // optional (*)
//     std::unique_ptr<adx_queue> make_queue();
//     void supports(const adx_graph& graph, uint8_t* mask);
//     std::unique_ptr<adx_program> compile(const adx_graph& graph);
//   };
//   struct adx_buffer {
//     void* map();  // optional
//   };
//   struct adx_queue {
//     void synchronize();
//     void copy(const adx_location& from, const adx_location& to, uint64_t bytes);
//     void fill(const adx_location& to, uint8_t value, uint64_t bytes);
//     void record(adx_event& event);  // with events, whose constructor takes nothing
//     void wait(adx_event& event);
//   };
//   struct adx_event {  // optional
//     bool has_happened();                // (*)
//     double elapsed_us(adx_event& from); // (*)
//   };
//   struct adx_program {
//     void run(adx_queue& queue, const adx_binding* arena, const adx_binding* bindings,
//              int32_t num_bindings, uint64_t n_steps, adx_control* control);
//   };
//
// A class that lacks an optional member leaves its functions null. The parameters after the first
// are there for the classes to be complete only where the table is made.
template <void (*kReport)(adx_status*) = report_exception, class D = adx_device,
          class B = adx_buffer, class Q = adx_queue, class E = adx_event, class P = adx_program>
constexpr adx_device_api device_api() {
  adx_device_api api = {};
  api.struct_size = sizeof api;
  api.properties = [](D* device, adx_properties* out, adx_status* status) {
    guarded<kReport>(status, [&] { device->describe(*out); });
  };
  api.alloc = [](D* device, uint64_t bytes, adx_status* status) {
    return guarded<kReport>(status, [&] { return device->allocate(bytes).release(); });
  };
  api.free = [](D*, B* buffer) { std::default_delete<B>()(buffer); };
  if constexpr (requires { &B::map; }) {
    api.map = [](D*, B* buffer, adx_status* status) {
      return guarded<kReport>(status, [&]() -> void* { return buffer->map(); });
    };
  }
  if constexpr (requires { &D::wrap; }) {
    api.wrap = [](D* device, void* host, uint64_t bytes, adx_status* status) {
      return guarded<kReport>(status, [&] { return device->wrap(host, bytes).release(); });
    };
  }
  if constexpr (requires { &D::free_memory; }) {
    api.free_memory = [](D* device) -> uint64_t { return device->free_memory(); };
  }
  api.queue_create = [](D* device, adx_status* status) {
    return guarded<kReport>(status, [&] { return device->make_queue().release(); });
  };
  api.queue_destroy = [](D*, Q* queue) { std::default_delete<Q>()(queue); };
  api.queue_synchronize = [](D*, Q* queue, adx_status* status) {
    guarded<kReport>(status, [&] { queue->synchronize(); });
  };
  api.copy = [](D*, Q* queue, const adx_location* from, const adx_location* to, uint64_t bytes,
                adx_status* status) {
    guarded<kReport>(status, [&] { queue->copy(*from, *to, bytes); });
  };
  api.fill = [](D*, Q* queue, const adx_location* to, uint8_t value, uint64_t bytes,
                adx_status* status) {
    guarded<kReport>(status, [&] { queue->fill(*to, value, bytes); });
  };
  if constexpr (requires { &Q::record; }) {
    api.event_create = [](D*, adx_status* status) {
      return guarded<kReport>(status, [] { return std::make_unique<E>().release(); });
    };
    api.event_destroy = [](D*, E* event) { std::default_delete<E>()(event); };
    api.event_record = [](D*, Q* queue, E* event, adx_status* status) {
      guarded<kReport>(status, [&] { queue->record(*event); });
    };
    api.event_wait = [](D*, Q* queue, E* event, adx_status* status) {
      guarded<kReport>(status, [&] { queue->wait(*event); });
    };
    api.event_query = [](D*, E* event) -> int32_t { return event->has_happened() ? 1 : 0; };
    api.event_elapsed_us = [](D*, E* from, E* to) -> double { return to->elapsed_us(*from); };
  }
  api.supports = [](D* device, const adx_graph* graph, uint8_t* mask, adx_status* status) {
    guarded<kReport>(status, [&] { device->supports(*graph, mask); });
  };
  api.compile = [](D* device, const adx_graph* graph, adx_status* status) {
    return guarded<kReport>(status, [&] { return device->compile(*graph).release(); });
  };
  api.program_destroy = [](D*, P* program) { std::default_delete<P>()(program); };
  api.run = [](D*, Q* queue, P* program, const adx_binding* arena, const adx_binding* bindings,
               int32_t num_bindings, uint64_t n_steps, adx_control* control, adx_status* status) {
    guarded<kReport>(
        status, [&] { program->run(*queue, arena, bindings, num_bindings, n_steps, control); });
  };
  return api;
}

}  // namespace addax::plugin
