// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "main/ctl/shell.h"

namespace muster::ctl {

/// Prints what a program wrote: the members stdout and stderr of `result`, unless they are empty.
void print_output(const Shell& shell, const Json& result);

}  // namespace muster::ctl
