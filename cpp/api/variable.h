#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>

#include "api/tensor.h"

namespace addax {

// A named tensor that can be assigned to. Its type and device never change. Assigning, and running
// a program that updates it, write in place; reading shares the memory, and a variable whose memory
// is shared takes memory of its own before it is written, so that no tensor handed out ever
// changes. Inside a trace a variable is a state of the graph instead: reading gives the value as
// the graph sees it at that point, assigning determines what the next run starts from.
//
// Threads: reads may run at the same time; a write waits for them and they for it.
class Variable : public std::enable_shared_from_this<Variable> {
 public:
  // Held by shared_ptr always. The initial value must be concrete.
  Variable(const Tensor& initial, std::string name, bool trainable);

  const std::string& name() const { return name_; }
  const TensorType& type() const { return type_; }
  Device& device() const { return device_; }
  bool trainable() const { return trainable_; }
  void set_name(std::string name) { name_ = std::move(name); }
  void set_trainable(bool trainable) { trainable_ = trainable; }

  // In a trace: the current value as a traced tensor. Else the stored numbers.
  Tensor value();
  // `value` must have the variable's shape (ShapeError). It is cast to the variable's dtype, except
  // from floating to integer or from a number to bool (DTypeError).
  void assign(const Tensor& value);
  // How often numbers were assigned outside of programs.
  uint64_t assignments() const { return assignments_.load(std::memory_order_relaxed); }
  // The stored numbers, also inside a trace.
  Tensor stored() const;
  void copy_to_host(void* to) const;

 private:
  friend class VariableLocks;
  // Makes the buffer this variable's alone. Requires the lock for writing.
  void detach() const;

  Device& device_;
  mutable Buffer buffer_;
  TensorType type_;
  std::string name_;
  bool trainable_;
  std::atomic<uint64_t> assignments_ = 0;
  mutable std::shared_mutex mutex_;
};

// Called around every wait for a variable that another thread holds, so that an interpreter can let
// its other threads run meanwhile. Set it while the process is single-threaded.
struct WaitHooks {
  void* (*begin)();
  void (*end)(void* token);  // with what `begin` returned
};
void set_wait_hooks(const WaitHooks& hooks);

// Holds several variables for reading or writing within a scope of one thread, taken in one order
// everywhere, so that two runs never wait for each other. A thread that asks for a variable that it
// holds already (from the progress callback of a run) gets InvalidArgumentError instead of a
// deadlock, except for reading what it already reads.
class VariableLocks {
 public:
  struct Request {
    const Variable* variable;
    bool write;
  };
  explicit VariableLocks(std::span<const Request> requests);  // repeated variables are fine
  VariableLocks(const Variable& variable, bool write);
  ~VariableLocks();
  VariableLocks(const VariableLocks&) = delete;
  VariableLocks& operator=(const VariableLocks&) = delete;

  // The buffer of a variable that is held.
  static const Buffer& buffer(const Variable& variable) { return variable.buffer_; }

 private:
  static bool is_held(std::span<const Request> held, const Request& request);
  void lock_all(std::span<const Request> requests);
  void lock(const Request& request);
  void unlock_all();

  size_t count_ = 0;  // of the thread's held variables, the last ones are this object's
};

}  // namespace addax
