// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "agent/collectors/found.h"
#include "agent/collectors/read_at.h"

namespace muster::agent {

/// The modules in a Go program: its own, if it has a version, those it depends on, and "stdlib" in
/// the version of Go that built it. From the section .go.buildinfo of a 64-bit little-endian ELF
/// file, in the form that Go writes since 1.18 (debug/buildinfo, strings inline). Files that are no
/// such programs, or of an older Go, add nothing.
void read_go_binary(const ReadAt& read, Found& found);

/// The text of that section from its magic on.
void parse_go_buildinfo(std::string_view section, Found& found);

}  // namespace muster::agent
