#pragma once

#include <string_view>

// The plug-in's .cl files, carried inside the library: each under its name without the ending.
namespace addax::opencl::sources {

// In front of others: types of all; scalar_ops of what computes; window of conv and pool.
extern const std::string_view types;
extern const std::string_view scalar_ops;
extern const std::string_view window;

// Loaders, behind which stand contraction with one of its kernels, or contraction_pack alone.
extern const std::string_view conv;
extern const std::string_view matmul;
extern const std::string_view contraction;
extern const std::string_view contraction_direct;
extern const std::string_view contraction_join;
extern const std::string_view contraction_local;
extern const std::string_view contraction_pack;

extern const std::string_view gather;
extern const std::string_view movement;
extern const std::string_view optimizer;
extern const std::string_view pool;
extern const std::string_view random;
extern const std::string_view softmax;
extern const std::string_view sort;

}  // namespace addax::opencl::sources
