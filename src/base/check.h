// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace muster {

/// Reports a broken invariant and aborts. Never reached through input: that is what Result is for.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace muster

/// Stays on in release. A failure is a bug in this program; the supervisor restarts it.
#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::muster::check_failed(#condition, __FILE__, __LINE__))
