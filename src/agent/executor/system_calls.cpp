// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/system_calls.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "agent/owned_fd.h"

namespace muster::agent {

namespace {

constexpr int denied[] = {SCMP_SYS(acct),
                          SCMP_SYS(add_key),
                          SCMP_SYS(adjtimex),
                          SCMP_SYS(bpf),
                          SCMP_SYS(clock_adjtime),
                          SCMP_SYS(clock_settime),
                          SCMP_SYS(delete_module),
                          SCMP_SYS(finit_module),
                          SCMP_SYS(fsconfig),
                          SCMP_SYS(fsmount),
                          SCMP_SYS(fsopen),
                          SCMP_SYS(fspick),
                          SCMP_SYS(init_module),
                          SCMP_SYS(io_uring_enter),
                          SCMP_SYS(io_uring_register),
                          SCMP_SYS(io_uring_setup),
                          SCMP_SYS(kcmp),
                          SCMP_SYS(kexec_file_load),
                          SCMP_SYS(kexec_load),
                          SCMP_SYS(keyctl),
                          SCMP_SYS(lookup_dcookie),
                          SCMP_SYS(mount),
                          SCMP_SYS(mount_setattr),
                          SCMP_SYS(move_mount),
                          SCMP_SYS(name_to_handle_at),
                          SCMP_SYS(open_by_handle_at),
                          SCMP_SYS(open_tree),
                          SCMP_SYS(perf_event_open),
                          SCMP_SYS(pivot_root),
                          SCMP_SYS(process_vm_readv),
                          SCMP_SYS(process_vm_writev),
                          SCMP_SYS(ptrace),
                          SCMP_SYS(quotactl),
                          SCMP_SYS(reboot),
                          SCMP_SYS(request_key),
                          SCMP_SYS(setdomainname),
                          SCMP_SYS(sethostname),
                          SCMP_SYS(setns),
                          SCMP_SYS(settimeofday),
                          SCMP_SYS(swapoff),
                          SCMP_SYS(swapon),
                          SCMP_SYS(syslog),
                          SCMP_SYS(umount2),
                          SCMP_SYS(unshare),
                          SCMP_SYS(userfaultfd),
                          SCMP_SYS(vhangup)};

[[noreturn]] void fail(int why) {
  throw std::system_error(why, std::generic_category(), "cannot limit system calls");
}

void check(int answer) {
  if (answer < 0) fail(-answer);
}

}  // namespace

std::vector<sock_filter> command_filter() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ALLOW),
                                                                &::seccomp_release);
  if (!filter) fail(ENOMEM);
  check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)));
  for (const int call : denied) {
    check(::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0));
  }
  check(::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  constexpr scmp_datum_t user_namespace = CLONE_NEWUSER;
  const scmp_arg_cmp new_user{0, SCMP_CMP_MASKED_EQ, user_namespace, user_namespace};
  check(::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, new_user));
  const OwnedFd file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file) fail(errno);
  check(::seccomp_export_bpf(filter.get(), file.get()));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) fail(errno);
  std::vector<sock_filter> program(static_cast<std::size_t>(facts.st_size) / sizeof(sock_filter));
  const auto bytes = program.size() * sizeof(sock_filter);
  if (::pread(file.get(), program.data(), bytes, 0) != static_cast<ssize_t>(bytes)) fail(EIO);
  return program;
}

std::vector<std::string> missing_system_calls() {
  std::vector<std::string> missing;
  // Called so that they can only fail, and say how.
  const auto refused = [](long answer) {
    return answer < 0 && (errno == ENOSYS || errno == EPERM);
  };
  if (refused(::syscall(SYS_openat2, -1, "", nullptr, 0)))
    missing.emplace_back("openat2 (Linux 5.6)");
  if (refused(::syscall(SYS_close_range, 1U, 0U, 0U)))
    missing.emplace_back("close_range (Linux 5.9)");
  return missing;
}

}  // namespace muster::agent
