// A device in C++20 out of a table of kernels: header only, on top of addax/device.h. It is for
// devices whose buffers have addresses that kernels can use, and whose queues are synchronous.
//
//   void add(const plugin::Call& call) {
//     const float *a = call.input<float>(0), *b = call.input<float>(1);
//     float* sum = call.output<float>();
//     for (int64_t i = 0; i < call.node.output().elements(); ++i) sum[i] = a[i] + b[i];
//   }
//   constexpr plugin::Kernel kKernels[] = {{"add", takes_equal_floats, add}, ...};
//
//   struct adx_program : plugin::Program { using Program::Program; };
//   adx_program* compile(adx_device*, const adx_graph* graph, adx_status* status) {
//     return plugin::guarded(
//         status, [&] { return new adx_program(*graph, kKernels, *the_host, address_of); });
//   }
//
// Functions of the table call what stands here inside of `guarded`, which turns exceptions into the
// status.
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
#include <vector>

#include "addax/device.h"

namespace addax::plugin {

// Thrown by a plug-in's code for `guarded` to report.
struct Failure {
  adx_code code;
  std::string text;
};

inline void report(adx_status* status, adx_code code, std::string_view text) {
  status->code = code;
  status->message[text.copy(status->message, sizeof status->message - 1)] = '\0';
}

// Runs `body`; what it throws becomes the status, and the result an empty one.
template <class Body>
auto guarded(adx_status* status, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Failure& failure) {
    report(status, failure.code, failure.text);
  } catch (const std::bad_alloc&) {
    report(status, ADX_OUT_OF_MEMORY, "the host has no memory left");
  } catch (const std::exception& error) {
    report(status, ADX_INTERNAL, error.what());
  } catch (...) {
    report(status, ADX_INTERNAL, "unknown exception");
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
// must live as long.
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
  void run(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
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

}  // namespace addax::plugin
