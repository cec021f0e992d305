#include "ops/window.h"

#include "ops/axes.h"
#include "ops/checks.h"

namespace addax {

Window make_window(const Attrs& attrs, std::array<int64_t, 2> size) {
  const Ints& strides = attrs.ints("strides");
  const Ints& padding = attrs.ints("padding");
  Window window{
      size, {strides[0], strides[1]}, {1, 1}, {padding[0], padding[2]}, {padding[1], padding[3]}};
  if (attrs.has("dilations")) {
    const Ints& dilations = attrs.ints("dilations");
    window.dilations = {dilations[0], dilations[1]};
  }
  return window;
}

Window make_window(const OpCall& call, std::array<int64_t, 2> size) {
  require_ints(call, "strides", 2, 1);
  require_ints(call, "padding", 4, 0);
  if (call.attrs.has("dilations")) require_ints(call, "dilations", 2, 1);
  return make_window(call.attrs, size);
}

Shape windows_shape(const OpCall& call, const Shape& input, const Window& window) {
  Ints dims = to_ints(input);
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t padded = input[static_cast<int>(axis) + 1] + window.low[axis] + window.high[axis];
    if (window.size[axis] < 1 || window.reach(axis) > padded) {
      shape_error(call, "a window of (" + std::to_string(window.size[0]) + ", " +
                            std::to_string(window.size[1]) + ") with dilations (" +
                            std::to_string(window.dilations[0]) + ", " +
                            std::to_string(window.dilations[1]) +
                            ") does not fit into the input of shape " + input.to_string() +
                            " and its padding; make it smaller or pad more");
    }
    dims[axis + 1] = (padded - window.reach(axis)) / window.strides[axis] + 1;
  }
  return Shape(dims);
}

Value pad_for(Emitter& emit, Value x, const Window& window, double fill) {
  if (!window.is_padded()) return x;
  return emit.call("pad", {x, emit.scalar(fill, emit.dtype(x))},
                   {{"low", Ints{0, window.low[0], window.low[1], 0}},
                    {"high", Ints{0, window.high[0], window.high[1], 0}}});
}

Value take_tap(Emitter& emit, Value padded, const Window& window, std::array<int64_t, 2> windows,
               int64_t row, int64_t column) {
  const Shape shape = emit.shape(padded);
  const std::array<int64_t, 2> first = {row * window.dilations[0], column * window.dilations[1]};
  const std::array<int64_t, 2> end = {first[0] + (windows[0] - 1) * window.strides[0] + 1,
                                      first[1] + (windows[1] - 1) * window.strides[1] + 1};
  return emit.call("slice", {padded},
                   {{"begin", Ints{0, first[0], first[1], 0}},
                    {"end", Ints{shape[0], end[0], end[1], shape[3]}},
                    {"strides", Ints{1, window.strides[0], window.strides[1], 1}}});
}

Value put_tap(Emitter& emit, Value elements, const Window& window, const Shape& input, int64_t row,
              int64_t column) {
  const Shape shape = emit.shape(elements);
  const std::array<int64_t, 2> tap = {row, column};
  Ints low = {0, 0, 0, 0};
  Ints high = {0, 0, 0, 0};
  Ints interior = {0, 0, 0, 0};
  for (size_t axis = 0; axis < 2; ++axis) {
    const int dim = static_cast<int>(axis) + 1;
    const int64_t first = tap[axis] * window.dilations[axis] - window.low[axis];
    const int64_t last = first + (shape[dim] - 1) * window.strides[axis];
    low[axis + 1] = first;
    high[axis + 1] = input[dim] - 1 - last;
    interior[axis + 1] = window.strides[axis] - 1;
  }
  return emit.call("pad", {elements, emit.scalar(0, emit.dtype(elements))},
                   {{"low", low}, {"high", high}, {"interior", interior}});
}

}  // namespace addax
