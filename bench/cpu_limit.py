# SPDX-License-Identifier: Apache-2.0
"""A process held to a share of one processor, by a cgroup of its own."""
import errno
import itertools
import os
import pathlib
import sys
import time

UNIFIED = pathlib.Path("/sys/fs/cgroup")         # version 2
CPU = pathlib.Path("/sys/fs/cgroup/cpu")         # version 1
PERIOD_US = 100_000
SKIPPED = 77
numbers = itertools.count()


class CpuLimit:
    """Where no such cgroup can be made, says why and exits 77, the code of what was skipped."""

    def __init__(self, share, pid):
        quota = int(share * PERIOD_US)
        controllers = UNIFIED / "cgroup.controllers"
        unified = controllers.exists() and "cpu" in controllers.read_text().split()
        self.path = (UNIFIED if unified else CPU) / f"muster-bench-{os.getpid()}-{next(numbers)}"
        try:
            if unified:
                (UNIFIED / "cgroup.subtree_control").write_text("+cpu")
            self.path.mkdir()
            if unified:
                (self.path / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            else:
                (self.path / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (self.path / "cpu.cfs_quota_us").write_text(str(quota))
            (self.path / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            self.remove()
            print(f"skipped: no cgroup with a CPU quota can be made here: {error}",
                  file=sys.stderr)
            raise SystemExit(SKIPPED) from None

    def remove(self):
        """The process is no longer limited. One that has ended leaves its cgroup a moment late."""
        for _ in range(50):
            try:
                for pid in (self.path / "cgroup.procs").read_text().split():
                    (self.path.parent / "cgroup.procs").write_text(pid)
                self.path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.ESRCH):
                    raise
                time.sleep(0.02)
