#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "device/device.h"

namespace addax::conformance {

// A struct of the ABI as a later version of it has it: longer than a plug-in of today knows.
template <class T>
struct Grown {
  T known;
  uint64_t appended;
};

struct Place {
  adx_storage storage;
  int32_t binding;
  uint64_t offset;
};

struct Attribute {
  const char* name;
  adx_attr_kind kind;  // of BOOL, INT and STRING
  int64_t number;
  const char* text = "";
};

// A program of the ABI, and what its runs report.
class Program {
 public:
  Program(Device& device, adx_program* program);

  // Runs and waits. What is valid during the call alone is overwritten after it. The first binding
  // is the arena.
  void run(const QueueLease& queue, const std::vector<adx_binding>& arena_and_bindings,
           uint64_t n_steps);
  // Of the runs from now on: they are asked to stop before they begin.
  void stop() { control_.known.stop = 1; }
  const adx_control& control() const { return control_.known; }

 private:
  struct Destroy {
    Device* device;
    void operator()(adx_program* program) const;
  };
  Device& device_;
  std::unique_ptr<adx_program, Destroy> program_;
  Grown<adx_control> control_;
};

// A graph of the ABI written by hand: in structs that have grown, and gone once it is compiled.
class Graph {
 public:
  // These return the tensor's index.
  int32_t tensor(adx_dtype dtype, const std::vector<int64_t>& dims, Place place);
  int32_t constant(const std::vector<float>& values);

  void node(const char* op, const std::vector<int32_t>& inputs, int32_t output,
            const std::vector<Attribute>& attributes = {});

  // What the device says of each node.
  std::vector<uint8_t> supported(Device& device);
  // Overwrites the graph, of which plug-ins may keep nothing, before it returns.
  Program compile(Device& device);
  // UnsupportedError where the device refuses a node.
  Program compile_supported(Device& device);

 private:
  Grown<adx_graph> flat() const;
  void overwrite();

  std::vector<Grown<adx_tensor>> tensors_;
  std::vector<Grown<adx_node>> nodes_;
  // What these point to, at places of its own.
  std::deque<std::vector<float>> constants_;
  std::deque<std::vector<int32_t>> operands_;
  std::deque<std::vector<Grown<adx_attr>>> attributes_;
  std::deque<std::string> texts_;
  int32_t num_bindings_ = 0;
  uint64_t arena_bytes_ = 0;
};

}  // namespace addax::conformance
