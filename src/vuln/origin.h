// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/package.h"

namespace muster::vuln {

/// Who built a package of a distribution's format.
enum class Origin : std::uint8_t {
  elsewhere,     // of another format: the question does not arise
  distribution,  // the distribution that the host runs, as far as can be told
  third_party,   // somebody else: what the distribution says of its package is not said of this one
};
std::string_view origin_name(Origin origin);

/// By the vendor or maintainer and by marks in the version (origins.def). A deb is the
/// distribution's unless something says otherwise; an rpm whose vendor is known is its vendor's.
Origin origin_of(const model::Package& package);

/// The publisher's version inside that of a deb, rpm or apk: "5:24.0.7-1~debian.12~bookworm" is
/// "24.0.7".
std::string_view upstream_version(std::string_view version);

/// A third party's package as a program like any other, to be known by its name and vendor.
model::Package as_program(const model::Package& package);

}  // namespace muster::vuln
