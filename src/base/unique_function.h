// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace muster {

/// std::function for callables that can only be moved (C++23's std::move_only_function).
template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, F&, Args...>)
      UniqueFunction(F f)  // NOLINT: implicit, as std::function
      : body_(std::make_unique<Held<F>>(std::move(f))) {}

  explicit operator bool() const { return body_ != nullptr; }
  R operator()(Args... args) { return body_->call(std::forward<Args>(args)...); }

 private:
  struct Body {
    virtual ~Body() = default;
    virtual R call(Args... args) = 0;
  };
  template <typename F>
  struct Held final : Body {
    explicit Held(F f) : held(std::move(f)) {}
    R call(Args... args) override { return held(std::forward<Args>(args)...); }
    F held;
  };
  std::unique_ptr<Body> body_;
};

}  // namespace muster
