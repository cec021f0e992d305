#include "api/variable.h"

#include <algorithm>

#include "api/eager.h"
#include "api/errors.h"
#include "api/trace.h"

namespace addax {
namespace {

WaitHooks wait_hooks{[]() -> void* { return nullptr; }, [](void*) {}};

// What this thread holds through VariableLocks objects that are alive.
thread_local std::vector<VariableLocks::Request> held_by_thread;

const VariableLocks::Request* find_held(const Variable& variable) {
  const auto found = std::find_if(
      held_by_thread.begin(), held_by_thread.end(),
      [&](const VariableLocks::Request& request) { return request.variable == &variable; });
  return found == held_by_thread.end() ? nullptr : &*found;
}

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
  held_.reserve(sorted.size());
  try {
    std::for_each(sorted.begin(), end, [this](const Request& request) { lock(request); });
  } catch (...) {
    unlock_all();
    throw;
  }
}

VariableLocks::VariableLocks(const Variable& variable, bool write) {
  held_.reserve(1);
  lock({&variable, write});
}

VariableLocks::~VariableLocks() { unlock_all(); }

bool VariableLocks::try_lock(const Request& request) {
  std::shared_mutex& mutex = request.variable->mutex_;
  return request.write ? mutex.try_lock() : mutex.try_lock_shared();
}

void VariableLocks::lock(const Request& request) {
  const Variable& variable = *request.variable;
  if (const Request* held = find_held(variable)) {
    if (!request.write && !held->write) return;
    throw InvalidArgumentError("[Variable] '" + variable.name() +
                               "' is in use by the run that this call was made from, " +
                               (held->write ? "which updates it" : "which reads it") +
                               "; do this after the run, not in its progress callback");
  }
  held_by_thread.reserve(held_by_thread.size() + 1);
  if (!try_lock(request)) {
    void* token = wait_hooks.begin();
    if (request.write) {
      variable.mutex_.lock();
    } else {
      variable.mutex_.lock_shared();
    }
    wait_hooks.end(token);
  }
  held_.push_back(request);
  held_by_thread.push_back(request);
  if (request.write) variable.detach();
}

void VariableLocks::unlock_all() {
  for (const Request& request : held_) {
    std::erase_if(held_by_thread,
                  [&](const Request& held) { return held.variable == request.variable; });
    if (request.write) {
      request.variable->mutex_.unlock();
    } else {
      request.variable->mutex_.unlock_shared();
    }
  }
  held_.clear();
}

}  // namespace addax
