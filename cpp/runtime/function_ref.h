#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace addax {

template <class Signature>
class FunctionRef;

// A callable passed by reference, without an allocation: for parameters only, as it does not keep
// the callable alive.
template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class Function,
            std::enable_if_t<!std::is_same_v<std::remove_cvref_t<Function>, FunctionRef> &&
                                 std::is_invocable_r_v<Result, Function&, Args...>,
                             int> = 0>
  FunctionRef(Function&& function)
      : context_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* context, Args... args) -> Result {
          return (*static_cast<std::remove_reference_t<Function>*>(context))(
              std::forward<Args>(args)...);
        }) {}

  Result operator()(Args... args) const { return call_(context_, std::forward<Args>(args)...); }

  void* context() const { return context_; }
  auto function() const { return call_; }

 private:
  void* context_;
  Result (*call_)(void*, Args...);
};

}  // namespace addax
