#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace addax {

// What passes know of the device that the graph is compiled for.
struct PassTarget {
  // For each node of the graph, as it is then, whether the device takes it.
  std::function<std::vector<bool>(const Graph&)> supports;
  // False keeps elementwise ops one by one and contractions without epilogues, to look for faults.
  bool fuse = true;
};

// A rewrite of the whole graph that keeps what it computes. It leaves a compact graph, which the
// verifier accepts.
struct Pass {
  std::string_view name;
  void (*run)(Graph&, const PassTarget&);
};

namespace passes {

// Computes small subgraphs of constants: elementwise ops, casts, reshapes, broadcasts, iota.
void fold_constants(Graph& graph, const PassTarget& target);

// Small tensors of one number, which fold_constants keeps as broadcasts for fusion to see through,
// become constants. For after fusion.
void fill_constants(Graph& graph, const PassTarget& target);

// Algebraic identities that are exact for the dtype, and movements that move nothing.
void simplify(Graph& graph, const PassTarget& target);

// Convolutions of 16-bit images take a float32 filter as it is, instead of its cast, and put out
// the gradient of one without rounding it in between.
void fold_casts(Graph& graph, const PassTarget& target);

// The sums of what a batch norm gives its input for a gradient are zero but for rounding, whatever
// the numbers, as long as they are finite: they become zero. Such is the gradient of a bias before
// it, which hence costs nothing, and stays where it is instead of following noise.
void drop_vanishing_sums(Graph& graph, const PassTarget& target);

// A mask by the sign of the images and sums over them, taken of the gradient of a pooling, are
// taken before that spreads it over the images: of fewer elements, and without reading the images.
// The mask is the same; a sum is in another order.
void hoist_over_pooling(Graph& graph, const PassTarget& target);

// A max pool whose gradient is asked for also puts out where the maxima are, in bytes, so that the
// gradient need not read the images again, nor they be kept for it. Left as it is where the device
// refuses that.
void keep_argmax(Graph& graph, const PassTarget& target);

// Equal ops on equal inputs become one.
void eliminate_common_subexpressions(Graph& graph, const PassTarget& target);

// Drops what neither an output nor a state's next value needs.
void eliminate_dead_code(Graph& graph, const PassTarget& target);

// Rewrites nodes that the device refuses by their decomposition, as deep as it takes.
void decompose(Graph& graph, const PassTarget& target);

// A contraction's result to which vectors of one element per column are added, and by which it is
// multiplied, one after the other (a bias, then batch normalization), becomes result * scale +
// shift: the vectors are put together once instead of for each row. With u the unit roundoff and n
// steps, either order is off by at most n * u times the sum over the terms of |term * the factors
// after it|; the result is one of those terms, and has an error of that size already.
void fold_affine(Graph& graph, const PassTarget& target);

// Moves elementwise ops on the result of a matmul or conv2d into its epilogue.
void fuse_epilogue(Graph& graph, const PassTarget& target);

// Gathers elementwise ops, and reductions of their results, into `fused` nodes.
void fuse_elementwise(Graph& graph, const PassTarget& target);

// An optimizer's step of many parameters becomes several, each right after the gradients that it
// takes: those are in the cache then, and their memory serves the gradients that come later.
void split_updates(Graph& graph, const PassTarget& target);

// Inserts `copy` so that each output and each state's next value is a node's result of its own that
// may be written straight into the buffer bound for it: no two share one, none is an input, a
// constant or an old state, and no state is overwritten before its last reader.
void materialize(Graph& graph, const PassTarget& target);

}  // namespace passes
}  // namespace addax
