#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "cpu/lowering/kernels.h"
#include "cpu/movement/strides.h"

namespace addax::cpu {
namespace {

constexpr int64_t kGrainBytes = 64 << 10;

// Elements of one tensor that go to places of another: the same extents seen through strides, from
// these offsets on (in elements).
struct Part {
  Tensor source;
  int64_t source_offset = 0;
  StridedView source_view;
  Tensor target;
  int64_t target_offset = 0;
  StridedView target_view;
  int64_t first_chunk = 0;
};

// Drops and merges axes where that is possible on both sides.
void collapse_pair(StridedView& a, StridedView& b) {
  StridedView new_a, new_b;
  for (size_t i = 0; i < a.dims.size(); ++i) {
    const int64_t dim = a.dims[i];
    if (dim == 1) continue;
    if (!new_a.dims.empty() && new_a.strides.back() == a.strides[i] * dim &&
        new_b.strides.back() == b.strides[i] * dim) {
      new_a.dims.back() *= dim;
      new_b.dims.back() *= dim;
      new_a.strides.back() = a.strides[i];
      new_b.strides.back() = b.strides[i];
    } else {
      new_a.dims.push_back(dim);
      new_b.dims.push_back(dim);
      new_a.strides.push_back(a.strides[i]);
      new_b.strides.push_back(b.strides[i]);
    }
  }
  if (new_a.dims.empty()) new_a = new_b = {{1}, {1}};
  a = std::move(new_a);
  b = std::move(new_b);
}

template <class T>
void copy_run(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride,
              int64_t count) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(target, source, static_cast<size_t>(count) * sizeof(T));
  } else if (from_stride == 0 && to_stride == 1) {
    std::fill_n(target, count, *source);
  } else {
    for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
  }
}

// Copies parts; first, where asked for, fills the whole target with one value.
class StridedCopy : public Kernel {
 public:
  explicit StridedCopy(std::vector<Part> parts, std::optional<Tensor> filling = {})
      : parts_(std::move(parts)), filling_(filling) {
    const Tensor& target = parts_.front().target;
    item_ = static_cast<int64_t>(size_of(target.dtype));
    if (filling_) {
      add_stage(chunks_for(target.bytes(), kGrainBytes), bytes_cost(target.bytes()));
    }
    int64_t chunks = 0, bytes = 0;
    for (Part& part : parts_) {
      collapse_pair(part.source_view, part.target_view);
      part.first_chunk = chunks;
      const int64_t size = part.source_view.size() * item_;
      if (size > 0) chunks += chunks_for(size, kGrainBytes);
      bytes += 2 * size;
    }
    add_stage(chunks, bytes_cost(bytes));
    bytes_ = static_cast<double>(bytes + (filling_ ? target.bytes() : 0));
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    switch (item_) {
      case 1:
        return run_typed<uint8_t>(context, stage, chunk);
      case 2:
        return run_typed<uint16_t>(context, stage, chunk);
      case 4:
        return run_typed<uint32_t>(context, stage, chunk);
      default:
        return run_typed<uint64_t>(context, stage, chunk);
    }
  }

 private:
  template <class T>
  void run_typed(const RunContext& context, size_t stage, int64_t chunk) const {
    if (filling_ && stage == 0) {
      const Tensor& target = parts_.front().target;
      const Range range = even_share(target.size(), stages_[0].chunks, chunk);
      std::fill_n(context.data<T>(target) + range.begin, range.size(), *context.data<T>(*filling_));
      return;
    }
    size_t index = parts_.size() - 1;
    while (index > 0 && parts_[index].first_chunk > chunk) --index;
    while (parts_[index].source_view.size() == 0) --index;
    const Part& part = parts_[index];
    const int64_t end =
        index + 1 < parts_.size() ? parts_[index + 1].first_chunk : stages_.back().chunks;
    copy_part<T>(
        context, part,
        even_share(part.source_view.size(), end - part.first_chunk, chunk - part.first_chunk));
  }

  template <class T>
  static void copy_part(const RunContext& context, const Part& part, Range range) {
    const auto* from = context.data<const std::byte>(part.source);
    auto* to = context.data<std::byte>(part.target);
    constexpr int64_t kItem = sizeof(T);
    StridedCursor source(part.source_view, range.begin), target(part.target_view, range.begin);
    for (int64_t left = range.size(); left > 0;) {
      const int64_t count = std::min(left, source.run());
      copy_run<T>(from + (part.source_offset + source.offset()) * kItem,
                  part.source_view.strides.back(),
                  to + (part.target_offset + target.offset()) * kItem,
                  part.target_view.strides.back(), count);
      source.advance(count);
      target.advance(count);
      left -= count;
    }
  }

  std::vector<Part> parts_;
  std::optional<Tensor> filling_;
  int64_t item_ = 1;
};

StridedView dense_view(const Shape& shape) {
  StridedView view;
  const auto strides = shape.strides();
  for (int axis = 0; axis < shape.rank(); ++axis) {
    view.dims.push_back(shape[axis]);
    view.strides.push_back(strides[static_cast<size_t>(axis)]);
  }
  return view;
}

Part whole_part(const Node& node) {
  const Tensor& x = node.input(0);
  const Tensor& y = node.output();
  return {x, 0, dense_view(x.shape), y, 0, dense_view(y.shape), 0};
}

}  // namespace

bool accepts_movement(const Node& node) {
  return node.num_inputs() > 0 && node.input(0).dtype == node.output().dtype;
}

bool accepts_constant(const Node&) { return true; }
KernelPtr make_constant(const Node&) { return nullptr; }

KernelPtr make_copy(const Node& node) {
  Part part = whole_part(node);
  const adx_tensor& from = *part.source.raw;
  const adx_tensor& to = *part.target.raw;
  const bool same_place = from.storage == to.storage && from.storage != ADX_STORAGE_CONSTANT &&
                          from.offset == to.offset && from.binding == to.binding;
  if (same_place) return nullptr;
  part.target_view = part.source_view;  // a reshape changes nothing in memory
  return std::make_unique<StridedCopy>(std::vector{part});
}

KernelPtr make_broadcast_to(const Node& node) {
  Part part = whole_part(node);
  part.source_view = broadcast_view(node.input(0).shape, node.output().shape);
  return std::make_unique<StridedCopy>(std::vector{part});
}

KernelPtr make_slice(const Node& node) {
  Part part = whole_part(node);
  const auto begin = node.ints("begin");
  const auto steps = node.has("strides") ? node.ints("strides") : std::vector<int64_t>();
  for (size_t axis = 0; axis < begin.size(); ++axis) {
    int64_t& stride = part.source_view.strides[axis];
    part.source_offset += begin[axis] * stride;
    if (!steps.empty()) stride *= steps[axis];
  }
  part.source_view.dims = part.target_view.dims;
  return std::make_unique<StridedCopy>(std::vector{part});
}

KernelPtr make_pad(const Node& node) {
  Part part = whole_part(node);
  const auto low = node.ints("low");
  const auto interior = node.has("interior") ? node.ints("interior") : std::vector<int64_t>();
  for (size_t axis = 0; axis < low.size(); ++axis) {
    const int64_t step = interior.empty() ? 1 : interior[axis] + 1;
    const int64_t extent = part.target_view.dims[axis];
    // Element i goes to low + i * step; those that stay within [0, extent) are kept.
    const int64_t first = low[axis] < 0 ? (-low[axis] + step - 1) / step : 0;
    const int64_t room = extent - 1 - low[axis];
    const int64_t last = std::min(part.source_view.dims[axis], room < 0 ? 0 : room / step + 1);
    part.source_offset += first * part.source_view.strides[axis];
    part.target_offset += (low[axis] + first * step) * part.target_view.strides[axis];
    part.target_view.strides[axis] *= step;
    part.source_view.dims[axis] = part.target_view.dims[axis] = std::max<int64_t>(last - first, 0);
  }
  return std::make_unique<StridedCopy>(std::vector{part}, node.input(1));
}

KernelPtr make_concatenate(const Node& node) {
  const auto axis = static_cast<size_t>(node.integer("axis"));
  const Tensor& y = node.output();
  std::vector<Part> parts;
  int64_t position = 0;
  for (const Tensor& x : node.inputs()) {
    Part part{x, 0, dense_view(x.shape), y, 0, dense_view(y.shape), 0};
    part.target_view.dims = part.source_view.dims;
    part.target_offset = position * part.target_view.strides[axis];
    position += x.shape[static_cast<int>(axis)];
    parts.push_back(std::move(part));
  }
  return std::make_unique<StridedCopy>(std::move(parts));
}

KernelPtr make_flip(const Node& node) {
  Part part = whole_part(node);
  for (int64_t axis : node.ints("axes")) {
    int64_t& stride = part.source_view.strides[static_cast<size_t>(axis)];
    part.source_offset += (part.source_view.dims[static_cast<size_t>(axis)] - 1) * stride;
    stride = -stride;
  }
  return std::make_unique<StridedCopy>(std::vector{part});
}

}  // namespace addax::cpu
