// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

namespace muster::agent {

/// The seccomp(2) program under which commands run. What changes the machine rather than files
/// (modules, mounts, clocks, swap, reboot, kexec), what looks into other processes (ptrace,
/// process_vm_readv), what a user without rights has needed to gain them (user namespaces, bpf,
/// io_uring, userfaultfd, perf, keyrings), and calls of another architecture answer EPERM;
/// clone3(2), whose flags a filter cannot see, ENOSYS, so that the C library falls back to
/// clone(2). Everything else is as without it. Throws std::system_error.
std::vector<sock_filter> command_filter();

/// Of the newer system calls that this agent cannot do without, those that this kernel, or the
/// filter around this process, refuses: with the Linux that has them, "openat2 (Linux 5.6)".
/// Without openat2 no software is found, without close_range no command starts.
std::vector<std::string> missing_system_calls();

}  // namespace muster::agent
