// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "agent/collectors/found.h"
#include "agent/collectors/read_at.h"

namespace muster::agent {

/// A file of `size` octets that holds headers of rpm.
struct RpmFile {
  const ReadAt& read;
  std::uint64_t size;
  const std::atomic<bool>& stop;
};

/// The forms in which rpm kept its headers before SQLite. Each gives every header of the file to
/// parse_rpm_header(); false when the file is not whole or not of that form, and soon after `stop`
/// became true: what was found until then is not all. No file makes them read more of it than twice
/// its size.

/// `Packages`: a hash table of Berkeley DB 4 or 5 in the order of octets of x86 and arm64, without
/// encryption and check sums (its dbinc/db_page.h), from the number of a header to the header. RHEL
/// 8, CentOS 7, Amazon Linux 2 and older.
bool read_berkeley_rpms(const RpmFile& file, std::string_view distro, Found& found);

/// `Packages.db`: rpm's own form (its lib/backend/ndb/rpmpkg.c). SUSE since 15, Photon.
bool read_ndb_rpms(const RpmFile& file, std::string_view distro, Found& found);

}  // namespace muster::agent
