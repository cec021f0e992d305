#include "api/variable.h"

#include <algorithm>

#include "api/eager.h"
#include "api/errors.h"
#include "api/trace.h"

namespace addax {
namespace {

WaitHooks wait_hooks{[]() -> void* { return nullptr; }, [](void*) {}};

// What this thread holds through VariableLocks objects that are alive, the innermost last.
thread_local std::vector<VariableLocks::Request> held_by_thread;

const Tensor& checked(const Tensor& initial, const std::string& name) {
  if (initial.is_traced()) {
    throw TracedValueError("[Variable] the initial value of '" + name +
                           "' is a traced tensor; create variables from numbers, outside of the "
                           "traced function or from NumPy arrays");
  }
  return initial;
}

bool loses_kind(DType from, DType to) {
  if (is_floating(from)) return !is_floating(to);
  return is_integer(from) && to == DType::Bool;
}

// `value` in the type of the variable.
Tensor converted(const Tensor& value, const TensorType& type, const std::string& variable) {
  if (value.shape() != type.shape) {
    throw ShapeError("[assign] variable '" + variable + "' has shape " + type.shape.to_string() +
                     ", the new value " + value.shape().to_string());
  }
  if (loses_kind(value.dtype(), type.dtype)) {
    throw DTypeError("[assign] variable '" + variable + "' has dtype " +
                     std::string(name(type.dtype)) + ", the new value " +
                     std::string(name(value.dtype())) + "; cast it first");
  }
  return cast(value, type.dtype);
}

}  // namespace

// The tensor stays as it is: the first write detaches the variable from a shared buffer.
Variable::Variable(const Tensor& initial, std::string name, bool trainable)
    : device_(checked(initial, name).device()),
      buffer_(initial.buffer()),
      type_(initial.type()),
      name_(std::move(name)),
      trainable_(trainable) {}

Tensor Variable::value() {
  if (Trace* trace = Trace::current()) return trace->read(shared_from_this());
  return stored();
}

void Variable::assign(const Tensor& value) {
  const Tensor source = converted(value, type_, name_);
  if (Trace* trace = Trace::current()) {
    trace->write(shared_from_this(), source);
    return;
  }
  assignments_.fetch_add(1, std::memory_order_relaxed);
  const Buffer& from = source.buffer("assign");
  if (type_.bytes() == 0) return;
  const VariableLocks lock(*this, true);
  // Compared after locking: taking the lock may have given this variable a buffer of its own.
  if (!(from == buffer_)) copy(from, 0, buffer_, 0, type_.bytes());
}

Tensor Variable::stored() const {
  const VariableLocks lock(*this, false);
  return Tensor(device_, buffer_, type_);
}

void Variable::copy_to_host(void* to) const { stored().copy_to_host(to); }

void Variable::detach() const {
  if (buffer_.is_unique() && !buffer_.is_wrapped()) return;
  Buffer own = device_.alloc(type_.bytes());
  if (type_.bytes() > 0) copy(buffer_, 0, own, 0, type_.bytes());
  buffer_ = std::move(own);
}

void set_wait_hooks(const WaitHooks& hooks) { wait_hooks = hooks; }

VariableLocks::VariableLocks(std::span<const Request> requests) {
  std::vector<Request> sorted(requests.begin(), requests.end());
  std::sort(sorted.begin(), sorted.end(), [](const Request& a, const Request& b) {
    return a.variable != b.variable ? a.variable < b.variable : a.write > b.write;
  });
  const auto end =
      std::unique(sorted.begin(), sorted.end(),
                  [](const Request& a, const Request& b) { return a.variable == b.variable; });
  lock_all({sorted.begin(), end});
}

VariableLocks::VariableLocks(const Variable& variable, bool write) {
  const Request request{&variable, write};
  lock_all({&request, 1});
}

VariableLocks::~VariableLocks() { unlock_all(); }

void VariableLocks::lock_all(std::span<const Request> requests) {
  const size_t outer = held_by_thread.size();
  held_by_thread.reserve(outer + requests.size());
  try {
    for (const Request& request : requests) {
      if (!is_held({held_by_thread.data(), outer}, request)) lock(request);
    }
  } catch (...) {
    unlock_all();
    throw;
  }
}

bool VariableLocks::is_held(std::span<const Request> held, const Request& request) {
  const auto found = std::find_if(held.begin(), held.end(), [&](const Request& other) {
    return other.variable == request.variable;
  });
  if (found == held.end()) return false;
  if (!request.write && !found->write) return true;
  throw InvalidArgumentError("[Variable] '" + request.variable->name() +
                             "' is in use by the run that this call was made from, " +
                             (found->write ? "which updates it" : "which reads it") +
                             "; do this after the run, not in its progress callback");
}

void VariableLocks::lock(const Request& request) {
  const Variable& variable = *request.variable;
  std::shared_mutex& mutex = variable.mutex_;
  if (!(request.write ? mutex.try_lock() : mutex.try_lock_shared())) {
    void* token = wait_hooks.begin();
    if (request.write) {
      mutex.lock();
    } else {
      mutex.lock_shared();
    }
    wait_hooks.end(token);
  }
  held_by_thread.push_back(request);
  ++count_;
  if (request.write) variable.detach();
}

void VariableLocks::unlock_all() {
  for (; count_ > 0; --count_) {
    const Request request = held_by_thread.back();
    held_by_thread.pop_back();
    if (request.write) {
      request.variable->mutex_.unlock();
    } else {
      request.variable->mutex_.unlock_shared();
    }
  }
}

}  // namespace addax
