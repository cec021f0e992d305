#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "addax/device.h"
#include "core/dtype.h"
#include "core/float16.h"
#include "core/shape.h"
#include "cpu/isa/isa.h"
#include "cpu/plugin.h"

namespace addax::cpu::testing {

// A host that runs chunks on two threads in turn, so that thread sanitizer sees what they share: in
// rising order, or in falling order, as a scheduler might.
const adx_host& test_host();
void set_reverse_chunks(bool reverse);
struct Span {
  std::string op;
  std::string label;
  double flops;
  double bytes;
};
// Spans recorded since the last call with `true`.
std::vector<Span>& spans();
void set_tracing(bool on);

// The device's table.
const adx_device_api& api();
adx_device* device();

// A tensor's value as doubles (int64 exact up to 2^53), with conversion to and from its dtype's
// bytes.
struct Array {
  DType dtype = DType::Float32;
  Shape shape;
  std::vector<double> values;

  size_t bytes() const { return values.size() * size_of(dtype); }
};
Array array(DType dtype, Shape shape, std::vector<double> values);
// Normal numbers, rounded to the dtype; integers in [low, high).
Array random_array(DType dtype, Shape shape, uint32_t seed, double low = -2, double high = 2);
std::vector<std::byte> to_bytes(const Array& array);
Array from_bytes(DType dtype, const Shape& shape, const std::byte* data);
// What storing a value in a dtype makes of it.
double rounded(double value, DType dtype);

struct Attr {
  std::string name;
  adx_attr_kind kind;
  std::variant<int64_t, double, std::string, std::vector<int64_t>> value;
};
Attr flag(std::string name, bool value);
Attr integer(std::string name, int64_t value);
Attr number(std::string name, double value);
Attr text(std::string name, std::string value);
Attr ints(std::string name, std::vector<int64_t> value);
Attr dtype(std::string name, DType value);

// Builds an adx_graph and runs it: inputs and outputs are bindings, everything between lies in the
// arena.
class GraphBuilder {
 public:
  // Tensor numbers.
  int32_t input(const Array& value);
  int32_t constant(const Array& value);
  int32_t output(DType dtype, Shape shape);
  int32_t internal(DType dtype, Shape shape);
  // An output that lies in the memory of input `tensor`.
  int32_t output_in_place(int32_t tensor);
  // The bytes of another tensor in other extents.
  int32_t view_of(int32_t tensor, const Shape& shape);

  void node(std::string op, std::vector<int32_t> inputs, std::vector<int32_t> outputs,
            std::vector<Attr> attrs = {}, std::string label = "");

  std::vector<uint8_t> supports();
  // Compiles and runs; a failed status is a test failure unless `status` is given.
  void run(uint64_t n_steps = 1, adx_control* control = nullptr, adx_status* status = nullptr);
  Array value(int32_t tensor) const;

 private:
  struct Binding {
    std::vector<std::byte> bytes;
  };
  struct NodeData {
    std::string op, label;
    std::vector<int32_t> inputs, outputs;
    std::vector<Attr> attrs;
    std::vector<adx_attr> raw_attrs;
  };
  adx_tensor& add_tensor(DType dtype, const Shape& shape, adx_storage storage);
  adx_graph graph();

  std::vector<adx_tensor> tensors_;
  std::deque<Binding> bindings_;
  std::deque<std::vector<std::byte>> constants_;
  std::deque<NodeData> nodes_;
  std::vector<adx_node> raw_nodes_;
  uint64_t arena_bytes_ = 0;
};

// Runs one node on `inputs` and returns its outputs.
std::vector<Array> run_node(std::string op, const std::vector<Array>& inputs,
                            const std::vector<std::pair<DType, Shape>>& outputs,
                            std::vector<Attr> attrs = {});

// Sets ADDAX_ISA for the life of this object.
class UseIsa {
 public:
  explicit UseIsa(Isa isa);
  ~UseIsa();
};

// The levels that this processor runs; the test's log says which are skipped.
const std::vector<Isa>& levels();

// Every element within `relative` of the reference's magnitude plus `absolute`; NaN equals NaN.
void expect_close(const Array& actual, const Array& expected, double relative, double absolute = 0);

}  // namespace addax::cpu::testing
