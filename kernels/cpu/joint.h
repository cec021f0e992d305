#pragma once

#include <cstdint>

#include "cpu/kernel.h"
#include "cpu/node.h"

namespace addax::cpu {

// In how many chunks the last stage of `first` may run together with the first stage of `second`,
// the next kernel: each chunk computes some images by `first` and takes them on by `second` while
// they are in the cache. 0 where the two must run one after the other: where chunks are other than
// shares of the images (Stage::by_images), where `second` reads nothing of `first` or reads it
// otherwise than image by image, or where it writes over what chunks of `first` are yet to read.
int64_t joint_chunks(const Kernel& first, const Node& first_node, const Kernel& second,
                     const Node& second_node);

}  // namespace addax::cpu
