// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <string_view>

/// What rpm's order alone does not tell of two builds.
namespace muster::vuln {

/// Their order, without the epoch where one of the texts has none: reports and bulletins leave out
/// epochs, and within one release of a distribution a package keeps its own.
std::weak_ordering compare_rpm_builds(std::string_view a, std::string_view b) noexcept;

/// `version` as it is compared with `other`: without its epoch where the other has none.
std::string_view comparable_rpm_build(std::string_view version, std::string_view other) noexcept;

/// Builds of a module of an enterprise distribution ("nodejs:18") say so in their release.
bool is_modular_build(std::string_view version) noexcept;

/// Streams of one module are different software with versions of their own, and bulletins name the
/// stream in prose only: the fix of another one tells nothing. Streams differ in the first number
/// (nodejs 16 and 18) or in a later one (php 7.3 and 7.4), so this is false only where the fix is
/// of another stream for sure; of several fixes of one flaw the one that has most in common with
/// the installed build tells (common_parts()).
bool may_be_of_stream(std::string_view fixed, std::string_view installed) noexcept;

/// How many numbers and words of version and release, from the first on, two modular builds share.
std::size_t common_parts(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::vuln
