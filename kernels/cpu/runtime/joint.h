#pragma once

#include <cstdint>

#include "cpu/lowering/node.h"
#include "cpu/runtime/kernel.h"

namespace addax::cpu {

// How the last stage of a kernel runs together with the first stage of the next: each chunk
// computes some images by the one and takes them on by the other while they are in the cache.
struct Joint {
  int64_t chunks = 0;  // 0: one stage after the other
  // What only passes from the one to the other, so that the images of a chunk are all that need be
  // kept at a time, in memory of the thread; -1: nothing.
  int32_t local_tensor = -1;
  int64_t local_bytes = 0;  // of a chunk's images
};

// No joint where chunks are other than shares of the images (Stage::by_images), where `second`
// reads nothing of `first` or reads it otherwise than image by image, or where it writes over what
// chunks of `first` are yet to read.
Joint join(const Kernel& first, const Node& first_node, const Kernel& second,
           const Node& second_node);

}  // namespace addax::cpu
