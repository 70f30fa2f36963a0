// SPDX-License-Identifier: Apache-2.0
// That comparing costs no memory. Not under sanitizers, whose allocator differs.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "version/case_files.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// Not inlined: GCC 12 would see free() meet a new of its own.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  void* made = std::malloc(bytes == 0 ? 1 : bytes);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
[[gnu::noinline]] void operator delete(void* at) noexcept {
  std::free(at);
}
[[gnu::noinline]] void operator delete(void* at, std::size_t) noexcept {
  std::free(at);
}

namespace muster::version {
namespace {

TEST(Schemes, CompareAndAcceptWithoutAllocating) {
  for (const Scheme scheme : test::all_schemes) {
    const test::Cases cases = test::read_cases(scheme);
    bool accepted = true;
    const std::size_t before = allocations;
    for (const auto& [a, relation, b] : cases.pairs) {
      accepted &= compare(scheme, a, b).ok();
    }
    EXPECT_EQ(allocations, before) << scheme_name(scheme);
    EXPECT_TRUE(accepted) << scheme_name(scheme);
  }
}

}  // namespace
}  // namespace muster::version

#endif
