// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// OpenSSL's versions before and since 3.0: "Release Strategy" of the OpenSSL project and
/// OPENSSL_VERSION_NUMBER(3), https://www.openssl.org/policies/releasestrat.html
///
///     number{.number}[letters][-fips][-stage[number]][-dev][+build]
///
///     number   at most three, missing ones 0
///     letters  patches of the old scheme: a to z, then za, zb, and so on
///     stage    alpha, beta or pre: what leads to the release
///     -fips, +build   a variant of the same sources; say nothing
///
/// Fails with invalid_field.
Result<void> validate_openssl(std::string_view text);

/// Numbers, letters, then alpha < beta < pre < release, each stage by its number, and what is in
/// development before what it becomes; `-dev` alone before all stages. Both texts must be valid.
std::weak_ordering compare_openssl(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
