#include "null/node.h"

namespace addax::null_device {
namespace {

constexpr const char* kNames[] = {"bool",    "uint8",    "int8",    "int32",  "int64",
                                  "float16", "bfloat16", "float32", "float64"};

std::vector<Type> types_of(const adx_graph& graph, const int32_t* tensors, int32_t count) {
  std::vector<Type> types;
  for (int32_t i = 0; i < count; ++i) {
    if (tensors[i] < 0 || tensors[i] >= graph.num_tensors) {
      throw Problem{ADX_INVALID_ARGUMENT,
                    "[null] tensor index " + std::to_string(tensors[i]) + " does not exist"};
    }
    types.push_back(type_of(element(graph.tensors, tensors[i])));
  }
  return types;
}

}  // namespace

int64_t Type::elements() const {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

uint64_t Type::bytes() const { return static_cast<uint64_t>(elements()) * plugin::size_of(dtype); }

std::string Type::to_string() const {
  std::string text = std::string(kNames[dtype]) + "(";
  for (size_t i = 0; i < dims.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  }
  return text + ")";
}

bool is_floating(int32_t dtype) { return dtype >= ADX_FLOAT16; }
bool is_integer(int32_t dtype) { return dtype >= ADX_UINT8 && dtype <= ADX_INT64; }

Type type_of(const adx_tensor& tensor) {
  if (tensor.dtype < ADX_BOOL || tensor.dtype > ADX_FLOAT64) {
    throw Problem{ADX_DTYPE, "[null] there is no dtype " + std::to_string(tensor.dtype)};
  }
  if (tensor.rank < 0 || tensor.rank > ADX_MAX_RANK) {
    throw Problem{ADX_SHAPE, "[null] there is no rank " + std::to_string(tensor.rank)};
  }
  Type type{tensor.dtype, Dims(tensor.dims, tensor.dims + tensor.rank)};
  for (const int64_t d : type.dims) {
    if (d < 0) throw Problem{ADX_SHAPE, "[null] negative extent in " + type.to_string()};
  }
  return type;
}

Node::Node(const adx_graph& graph, int32_t index) : raw_(&element(graph.nodes, index)) {
  if (raw_->op == nullptr || raw_->label == nullptr) {
    throw Problem{ADX_INVALID_ARGUMENT, "[null] a node without op or label"};
  }
  inputs_ = types_of(graph, raw_->inputs, raw_->num_inputs);
  outputs_ = types_of(graph, raw_->outputs, raw_->num_outputs);
  for (int32_t i = 0; i < raw_->num_attrs; ++i) {
    const adx_attr& a = element(raw_->attrs, i);
    require(a.name != nullptr, ADX_INVALID_ARGUMENT, "an attribute has no name");
    require(a.kind != ADX_ATTR_STRING || a.s != nullptr, ADX_INVALID_ARGUMENT,
            std::string(a.name) + " is null");
    require(a.kind != ADX_ATTR_INTS || a.count == 0 || a.ints != nullptr, ADX_INVALID_ARGUMENT,
            std::string(a.name) + " is null");
  }
  require(raw_->flops >= 0, ADX_INVALID_ARGUMENT, "negative flops");
}

void Node::fail(adx_code code, const std::string& what) const {
  std::string text = "[" + std::string(op()) + "] " + what + "; called with";
  for (const Type& type : inputs_) text += " " + type.to_string();
  throw Problem{code, text};
}

const adx_attr* Node::find(std::string_view name) const {
  for (int32_t i = 0; i < raw_->num_attrs; ++i) {
    const adx_attr& a = element(raw_->attrs, i);
    if (a.name == name) return &a;
  }
  return nullptr;
}

const adx_attr& Node::attr(std::string_view name, adx_attr_kind kind) const {
  const adx_attr* const found = find(name);
  require(found != nullptr, ADX_INVALID_ARGUMENT, "lacks the attribute " + std::string(name));
  require(found->kind == kind, ADX_INVALID_ARGUMENT,
          std::string(name) + " has kind " + std::to_string(found->kind) + ", not " +
              std::to_string(kind));
  return *found;
}

Dims Node::ints(std::string_view name) const {
  const adx_attr& a = attr(name, ADX_ATTR_INTS);
  return a.count == 0 ? Dims() : Dims(a.ints, a.ints + a.count);
}

Dims Node::ints(std::string_view name, size_t count, int64_t low) const {
  Dims values = ints(name);
  require(values.size() == count, ADX_INVALID_ARGUMENT,
          std::string(name) + " must have " + std::to_string(count) + " numbers");
  for (const int64_t v : values) {
    require(v >= low, ADX_INVALID_ARGUMENT,
            std::string(name) + " must be at least " + std::to_string(low));
  }
  return values;
}

int32_t Node::dtype(std::string_view name) const {
  const int64_t code = attr(name, ADX_ATTR_DTYPE).i;
  require(code >= ADX_BOOL && code <= ADX_FLOAT64, ADX_DTYPE,
          "there is no dtype " + std::to_string(code));
  return static_cast<int32_t>(code);
}

int Node::axis(std::string_view name, int rank) const {
  const int64_t axis = integer(name);
  require(axis >= 0 && axis < rank, ADX_INVALID_ARGUMENT,
          std::string(name) + " " + std::to_string(axis) + " is not in [0, " +
              std::to_string(rank) + ")");
  return static_cast<int>(axis);
}

void Node::expect_inputs(int count) const {
  require(num_inputs() == count, ADX_INVALID_ARGUMENT,
          "expects " + std::to_string(count) + " inputs");
}

void Node::expect_rank(int i, int rank) const {
  require(input(i).rank() == rank, ADX_SHAPE,
          "input " + std::to_string(i) + " must have rank " + std::to_string(rank));
}

void Node::expect_dtype(int first, int32_t dtype) const {
  for (int i = first; i < num_inputs(); ++i) {
    require(input(i).dtype == dtype, ADX_DTYPE,
            "input " + std::to_string(i) + " must be " + kNames[dtype]);
  }
}

void Node::expect_floating(int i) const {
  require(is_floating(input(i).dtype), ADX_DTYPE,
          "input " + std::to_string(i) + " must be floating");
}

void Node::expect_integer(int i) const {
  require(is_integer(input(i).dtype), ADX_DTYPE,
          "input " + std::to_string(i) + " must be an integer");
}

}  // namespace addax::null_device
