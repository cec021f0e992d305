#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/eager.h"
#include "api/executable.h"
#include "graph/graph.h"

namespace addax {

// Larger arrays must be passed to a traced function as arguments.
inline constexpr size_t kMaxConstantBytes = size_t{1} << 20;

// A graph under construction. While a TraceScope is open, every op called on this thread is
// appended to the graph instead of run. Variables become states: the first read gives the value at
// entry, an assignment the value that later reads see and that the next run begins with.
//
// Threads: the stack of open scopes is per thread; a trace is used by the thread that opened it.
class Trace : public std::enable_shared_from_this<Trace> {
 public:
  // What becomes of a concrete tensor that an op meets. A graph that is kept must not depend on
  // numbers of the moment, so it refuses them; one that is run once may take them as inputs.
  enum class Captures : uint8_t { Refused, Inputs };

  // Held by shared_ptr always.
  explicit Trace(std::string name, Captures captures = Captures::Refused)
      : graph_(std::move(name)), captures_(captures) {}

  // The trace that ops of this thread go to, or null.
  static Trace* current();

  const std::string& name() const { return graph_.name(); }
  bool is_finished() const { return finished_; }
  const Graph& graph() const { return graph_; }

  Tensor input(const TensorType& type, std::string name);
  // The tensors taken as inputs, in their order. Declare all other inputs before the first op.
  const std::vector<Tensor>& captured() const { return captured_; }
  // Dense row-major host data, at most kMaxConstantBytes of it; TracedValueError beyond.
  Tensor constant(const void* data, const TensorType& type);
  std::vector<Tensor> emit(const OpDef& op, std::span<const Operand> inputs, Attrs attrs);

  // The value of a tensor in this graph; throws TracedValueError for a concrete tensor (unless they
  // are captured) or one of another trace, saying how to pass it. `where` begins the message.
  Value value_of(const Tensor& tensor, std::string_view where);

  Tensor read(const std::shared_ptr<Variable>& variable);
  void write(const std::shared_ptr<Variable>& variable, const Tensor& value);

  // d loss / d wrt: one tensor per item, zeros where the loss does not depend on it. Of a variable
  // its current value is meant; InvalidArgumentError when that was assigned and not read since, so
  // that the loss cannot depend on it.
  std::vector<Tensor> gradients(const Tensor& loss, std::span<const Operand> wrt);

  // Nodes emitted between push and pop carry the labels so far, joined by "/".
  void push_label(std::string_view text);
  void pop_label();

  // Compiles for `device`. Afterwards the trace takes no more ops.
  std::unique_ptr<Executable> finish(std::span<const Tensor> outputs, Device& device);

 private:
  void check_open() const;
  Tensor wrap(Value value);
  Value operand_value(const Operand& operand, DType dtype, std::string_view op);

  struct StateEntry {
    std::shared_ptr<Variable> variable;
    Value entry;
    Value current;
    bool read = false;  // the current value, since it was assigned
  };
  StateEntry& state(const std::shared_ptr<Variable>& variable);
  Value read_value(const std::shared_ptr<Variable>& variable);
  Value capture(const Tensor& tensor);

  Graph graph_;
  Captures captures_;
  std::vector<Tensor> captured_;
  std::vector<Value> captured_values_;  // one for each of captured_
  std::vector<StateEntry> states_;
  std::map<const Variable*, size_t> state_index_;
  std::vector<std::string> labels_;
  bool finished_ = false;
};

// Opens a trace on this thread until the matching pop; with null, ops run eagerly meanwhile.
// pop_trace throws InvalidArgumentError unless `trace` is what was opened last on this thread.
void push_trace(std::shared_ptr<Trace> trace);
void pop_trace(const Trace* trace);

// The same for a scope.
class TraceScope {
 public:
  explicit TraceScope(std::shared_ptr<Trace> trace);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
};

}  // namespace addax
