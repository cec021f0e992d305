#include "cpu/device_fixture.h"

#include <cmath>
#include <memory>
#include <thread>

#include "cpu/runtime/denormals.h"

namespace addax::cpu::testing {
namespace {

bool reverse_chunks = false;
bool tracing = false;

void parallel_for(int64_t count, void (*body)(void*, int64_t), void* context) {
  const auto every_other = [=](int64_t first) {
    const FlushDenormals flush;
    for (int64_t i = first; i < count; i += 2) body(context, reverse_chunks ? count - 1 - i : i);
  };
  std::jthread other;
  if (count > 1) other = std::jthread(every_other, 1);
  every_other(0);
}
int32_t num_threads() { return 2; }
void log(adx_log_level, const char*) {}
int32_t trace_enabled() { return tracing ? 1 : 0; }
void trace_span(const char* op, const char* label, uint64_t begin, uint64_t end, double flops,
                double bytes) {
  EXPECT_LE(begin, end);
  spans().push_back({op, label, flops, bytes});
}

adx_host make_host() {
  adx_host host = {};
  host.struct_size = sizeof(host);
  host.abi_version = ADX_ABI_VERSION;
  host.log = log;
  host.parallel_for = parallel_for;
  host.num_threads = num_threads;
  host.trace_enabled = trace_enabled;
  host.trace_span = trace_span;
  return host;
}

adx_status new_status() {
  adx_status status = {};
  status.struct_size = sizeof(status);
  return status;
}

const adx_plugin& plugin() {
  static const adx_plugin* const table = [] {
    adx_status status = new_status();
    const adx_plugin* found = adx_cpu_plugin(&test_host(), &status);
    EXPECT_EQ(status.code, ADX_OK) << status.message;
    return found;
  }();
  return *table;
}

}  // namespace

const adx_host& test_host() {
  static const adx_host host = make_host();
  return host;
}
void set_reverse_chunks(bool reverse) { reverse_chunks = reverse; }
void set_tracing(bool on) { tracing = on; }
std::vector<Span>& spans() {
  static std::vector<Span> recorded;
  return recorded;
}
const adx_device_api& api() { return *plugin().api; }
adx_device* device() { return plugin().devices[0]; }

double rounded(double value, DType dtype) {
  const Shape scalar;
  const std::vector<std::byte> bytes = to_bytes({dtype, scalar, {value}});
  return from_bytes(dtype, scalar, bytes.data()).values[0];
}

Array array(DType dtype, Shape shape, std::vector<double> values) {
  EXPECT_EQ(shape.num_elements(), static_cast<int64_t>(values.size()));
  return {dtype, shape, std::move(values)};
}

Array random_array(DType dtype, Shape shape, uint32_t seed, double low, double high) {
  std::mt19937 generator(seed);
  Array result{dtype, shape, {}};
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(low, high);
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    const double value = is_floating(dtype) ? normal(generator) : std::floor(uniform(generator));
    result.values.push_back(rounded(value, dtype));
  }
  return result;
}

template <class T>
void put(std::byte* to, double value) {
  const T converted = static_cast<T>(value);
  std::memcpy(to, &converted, sizeof(T));
}

template <class T>
T get(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

std::vector<std::byte> to_bytes(const Array& array) {
  const size_t item = size_of(array.dtype);
  std::vector<std::byte> bytes(array.bytes());
  for (size_t i = 0; i < array.values.size(); ++i) {
    std::byte* to = bytes.data() + i * item;
    const double v = array.values[i];
    switch (array.dtype) {
      case DType::Bool:
        put<uint8_t>(to, v != 0 ? 1 : 0);
        break;
      case DType::UInt8:
        put<uint8_t>(to, v);
        break;
      case DType::Int8:
        put<int8_t>(to, v);
        break;
      case DType::Int32:
        put<int32_t>(to, v);
        break;
      case DType::Int64:
        put<int64_t>(to, v);
        break;
      case DType::Float16: {
        const uint16_t bits = float_to_float16(static_cast<float>(v));
        std::memcpy(to, &bits, 2);
        break;
      }
      case DType::BFloat16: {
        const uint16_t bits = float_to_bfloat16(static_cast<float>(v));
        std::memcpy(to, &bits, 2);
        break;
      }
      case DType::Float32:
        put<float>(to, v);
        break;
      case DType::Float64:
        put<double>(to, v);
        break;
    }
  }
  return bytes;
}

Array from_bytes(DType dtype, const Shape& shape, const std::byte* data) {
  Array result{dtype, shape, {}};
  const size_t item = size_of(dtype);
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    const std::byte* from = data + static_cast<size_t>(i) * item;
    double v = 0;
    switch (dtype) {
      case DType::Bool:
        v = get<uint8_t>(from);
        break;
      case DType::UInt8:
        v = get<uint8_t>(from);
        break;
      case DType::Int8:
        v = get<int8_t>(from);
        break;
      case DType::Int32:
        v = get<int32_t>(from);
        break;
      case DType::Int64:
        v = static_cast<double>(get<int64_t>(from));
        break;
      case DType::Float16:
        v = float16_to_float(get<uint16_t>(from));
        break;
      case DType::BFloat16:
        v = bfloat16_to_float(get<uint16_t>(from));
        break;
      case DType::Float32:
        v = get<float>(from);
        break;
      case DType::Float64:
        v = get<double>(from);
        break;
    }
    result.values.push_back(v);
  }
  return result;
}

Attr flag(std::string name, bool value) {
  return {std::move(name), ADX_ATTR_BOOL, int64_t{value ? 1 : 0}};
}
Attr integer(std::string name, int64_t value) { return {std::move(name), ADX_ATTR_INT, value}; }
Attr number(std::string name, double value) { return {std::move(name), ADX_ATTR_FLOAT, value}; }
Attr text(std::string name, std::string value) {
  return {std::move(name), ADX_ATTR_STRING, std::move(value)};
}
Attr ints(std::string name, std::vector<int64_t> value) {
  return {std::move(name), ADX_ATTR_INTS, std::move(value)};
}
Attr dtype(std::string name, DType value) {
  return {std::move(name), ADX_ATTR_DTYPE, static_cast<int64_t>(value)};
}

adx_tensor& GraphBuilder::add_tensor(DType dtype, const Shape& shape, adx_storage storage) {
  adx_tensor tensor = {};
  tensor.struct_size = sizeof(tensor);
  tensor.dtype = static_cast<int32_t>(dtype);
  tensor.rank = shape.rank();
  tensor.storage = storage;
  for (int i = 0; i < shape.rank(); ++i) tensor.dims[i] = shape[i];
  return tensors_.emplace_back(tensor);
}

int32_t GraphBuilder::input(const Array& value) {
  add_tensor(value.dtype, value.shape, ADX_STORAGE_BINDING).binding =
      static_cast<int32_t>(bindings_.size());
  bindings_.push_back({to_bytes(value)});
  return static_cast<int32_t>(tensors_.size()) - 1;
}

int32_t GraphBuilder::constant(const Array& value) {
  constants_.push_back(to_bytes(value));
  add_tensor(value.dtype, value.shape, ADX_STORAGE_CONSTANT).data = constants_.back().data();
  return static_cast<int32_t>(tensors_.size()) - 1;
}

int32_t GraphBuilder::output(DType dtype, Shape shape) {
  const size_t bytes = static_cast<size_t>(shape.num_elements()) * size_of(dtype);
  add_tensor(dtype, shape, ADX_STORAGE_BINDING).binding = static_cast<int32_t>(bindings_.size());
  bindings_.push_back({std::vector<std::byte>(bytes, std::byte{0x7b})});
  return static_cast<int32_t>(tensors_.size()) - 1;
}

int32_t GraphBuilder::output_in_place(int32_t tensor) {
  tensors_.push_back(tensors_[static_cast<size_t>(tensor)]);
  return static_cast<int32_t>(tensors_.size()) - 1;
}

int32_t GraphBuilder::view_of(int32_t tensor, const Shape& shape) {
  const int32_t view = output_in_place(tensor);
  tensors_.back().rank = shape.rank();
  std::copy(shape.dims().begin(), shape.dims().end(), tensors_.back().dims);
  return view;
}

int32_t GraphBuilder::internal(DType dtype, Shape shape) {
  add_tensor(dtype, shape, ADX_STORAGE_ARENA).offset = arena_bytes_;
  const uint64_t bytes = static_cast<uint64_t>(shape.num_elements()) * size_of(dtype);
  arena_bytes_ += (bytes + 63) / 64 * 64;
  return static_cast<int32_t>(tensors_.size()) - 1;
}

void GraphBuilder::node(std::string op, std::vector<int32_t> inputs, std::vector<int32_t> outputs,
                        std::vector<Attr> attrs, std::string label) {
  NodeData& data = nodes_.emplace_back();
  data.op = std::move(op);
  data.label = std::move(label);
  data.inputs = std::move(inputs);
  data.outputs = std::move(outputs);
  data.attrs = std::move(attrs);
  for (const Attr& attr : data.attrs) {
    adx_attr raw = {};
    raw.struct_size = sizeof(raw);
    raw.kind = attr.kind;
    raw.name = attr.name.c_str();
    if (const auto* i = std::get_if<int64_t>(&attr.value)) raw.i = *i;
    if (const auto* f = std::get_if<double>(&attr.value)) raw.f = *f;
    if (const auto* s = std::get_if<std::string>(&attr.value)) raw.s = s->c_str();
    if (const auto* list = std::get_if<std::vector<int64_t>>(&attr.value)) {
      raw.ints = list->data();
      raw.count = static_cast<int64_t>(list->size());
    }
    data.raw_attrs.push_back(raw);
  }
}

adx_graph GraphBuilder::graph() {
  raw_nodes_.clear();
  for (const NodeData& data : nodes_) {
    adx_node node = {};
    node.struct_size = sizeof(node);
    node.op = data.op.c_str();
    node.label = data.label.c_str();
    node.inputs = data.inputs.data();
    node.num_inputs = static_cast<int32_t>(data.inputs.size());
    node.outputs = data.outputs.data();
    node.num_outputs = static_cast<int32_t>(data.outputs.size());
    node.attrs = data.raw_attrs.data();
    node.num_attrs = static_cast<int32_t>(data.raw_attrs.size());
    node.flops = 1;
    raw_nodes_.push_back(node);
  }
  adx_graph graph = {};
  graph.struct_size = sizeof(graph);
  graph.tensors = tensors_.data();
  graph.num_tensors = static_cast<int32_t>(tensors_.size());
  graph.nodes = raw_nodes_.data();
  graph.num_nodes = static_cast<int32_t>(raw_nodes_.size());
  graph.num_bindings = static_cast<int32_t>(bindings_.size());
  graph.arena_bytes = arena_bytes_;
  graph.name = "test";
  return graph;
}

std::vector<uint8_t> GraphBuilder::supports() {
  const adx_graph flat = graph();
  std::vector<uint8_t> mask(nodes_.size(), 2);
  adx_status status = new_status();
  api().supports(device(), &flat, mask.data(), &status);
  EXPECT_EQ(status.code, ADX_OK) << status.message;
  return mask;
}

void GraphBuilder::run(uint64_t n_steps, adx_control* control, adx_status* status) {
  adx_status own = new_status();
  adx_status* report = status != nullptr ? status : &own;
  const adx_graph flat = graph();
  adx_program* program = api().compile(device(), &flat, report);
  if (program != nullptr) {
    std::vector<std::unique_ptr<adx_buffer, std::function<void(adx_buffer*)>>> buffers;
    const auto release = [](adx_buffer* buffer) { api().free(device(), buffer); };
    std::vector<adx_binding> bindings;
    for (Binding& binding : bindings_) {
      adx_buffer* buffer = api().wrap(device(), binding.bytes.data(), binding.bytes.size(), report);
      buffers.emplace_back(buffer, release);
      bindings.push_back({sizeof(adx_binding), buffer, 0});
    }
    adx_binding arena = {sizeof(adx_binding), nullptr, 0};
    if (arena_bytes_ > 0) {
      arena.buffer = api().alloc(device(), arena_bytes_, report);
      buffers.emplace_back(arena.buffer, release);
    }
    adx_queue* queue = api().queue_create(device(), report);
    api().run(device(), queue, program, &arena, bindings.data(),
              static_cast<int32_t>(bindings.size()), n_steps, control, report);
    api().queue_destroy(device(), queue);
    api().program_destroy(device(), program);
  }
  if (status == nullptr) {
    EXPECT_EQ(own.code, ADX_OK) << own.message;
  }
}

Array GraphBuilder::value(int32_t tensor) const {
  const adx_tensor& raw = tensors_[static_cast<size_t>(tensor)];
  const Shape shape(std::span(raw.dims, static_cast<size_t>(raw.rank)));
  return from_bytes(static_cast<DType>(raw.dtype), shape,
                    bindings_[static_cast<size_t>(raw.binding)].bytes.data() + raw.offset);
}

std::vector<Array> run_node(std::string op, const std::vector<Array>& inputs,
                            const std::vector<std::pair<DType, Shape>>& outputs,
                            std::vector<Attr> attrs) {
  GraphBuilder builder;
  std::vector<int32_t> in, out;
  for (const Array& value : inputs) in.push_back(builder.input(value));
  for (const auto& [type, shape] : outputs) out.push_back(builder.output(type, shape));
  builder.node(std::move(op), in, out, std::move(attrs));
  EXPECT_EQ(builder.supports(), std::vector<uint8_t>{1});
  builder.run();
  std::vector<Array> results;
  for (int32_t tensor : out) results.push_back(builder.value(tensor));
  return results;
}

UseIsa::UseIsa(Isa isa) { setenv("ADDAX_ISA", std::string(name(isa)).c_str(), 1); }
UseIsa::~UseIsa() { unsetenv("ADDAX_ISA"); }

const std::vector<Isa>& levels() {
  static const std::vector<Isa> found = [] {
    std::vector<Isa> run;
    for (Isa isa : {Isa::Portable, Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16, Isa::Amx}) {
      if (isa <= detected_isa()) {
        run.push_back(isa);
      } else {
        std::printf("skipped: this processor does not run %s\n", std::string(name(isa)).c_str());
      }
    }
    return run;
  }();
  return found;
}

void expect_close(const Array& actual, const Array& expected, double relative, double absolute) {
  ASSERT_EQ(actual.values.size(), expected.values.size());
  int reported = 0;
  for (size_t i = 0; i < actual.values.size() && reported < 5; ++i) {
    const double a = actual.values[i], e = expected.values[i];
    if (std::isnan(a) && std::isnan(e)) continue;
    if (a == e) continue;
    const bool close = std::abs(a - e) <= relative * std::abs(e) + absolute;
    EXPECT_TRUE(close) << "element " << i << " is " << a << ", expected " << e;
    if (!close) ++reported;
  }
}

}  // namespace addax::cpu::testing
