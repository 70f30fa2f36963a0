// SPDX-License-Identifier: Apache-2.0
#include "model/outage.h"

namespace muster::model {

std::string_view probable_cause(const Vitals& vitals) {
  if (vitals.disk_free_mb >= 0 && vitals.disk_free_mb < low_disk_mb) return "disk_pressure";
  if (vitals.total_memory_mb > 0 && vitals.memory_mb > high_memory_share * vitals.total_memory_mb) {
    return "memory_pressure";
  }
  if (vitals.cpu_percent > high_cpu_percent) return "cpu_saturation";
  return "unknown";
}

}  // namespace muster::model
