// SPDX-License-Identifier: Apache-2.0
#include "net/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

namespace muster::net {

Result<void> allow_descriptors(std::uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw std::system_error(errno, std::generic_category(), "getrlimit");
  }
  if (limit.rlim_cur >= wanted) return {};
  const rlimit raised{wanted, std::max<rlim_t>(limit.rlim_max, wanted)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return {};
  return Error{Errc::unavailable, "needs " + std::to_string(wanted) + " descriptors and may open " +
                                      std::to_string(limit.rlim_max) +
                                      ": raise `ulimit -Hn` (and fs.nr_open)"};
}

}  // namespace muster::net
