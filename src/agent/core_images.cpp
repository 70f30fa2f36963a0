// SPDX-License-Identifier: Apache-2.0
#include "agent/bounds.h"
#include "agent/core_parts.h"

namespace muster::agent::core {

namespace {

void settle(Step& step) {
  succeeded(step, Purpose::images,
            std::chrono::seconds(step.state.settings.intervals_changes_seconds));
  step.state.images_settled = true;
}

/// The server has what was sent, or will never take it.
void close_images(Step& step) {
  State& state = step.state;
  state.images = std::exchange(state.images_sent, {});
  step.actions.push_back(Save{ImageRecord::file, encode_images(state.images)});
  if (!state.more_images) return settle(step);
  succeeded(step, Purpose::images, Duration(0));
}

}  // namespace

void begin_images(Step& step) {
  State& state = step.state;
  const bool scanner = state.settings.inventory_images == "trivy";
  const Instant now = step.now.wall + state.clock_offset;
  if (!state.images_seen) {
    begin_look(step, LookAtImages{{state.settings.inventory_skip, state.images.known(now, scanner),
                                   scanner}});
    return;
  }
  const ImagesSeen seen = *std::exchange(state.images_seen, std::nullopt);
  if (!seen.sight) {
    return failed(step, Purpose::images, "the images of this host cannot be listed");
  }
  const ImageSight& sight = *seen.sight;
  std::string list = hash_of_images(sight.local.images);
  const bool news = !sight.reports.empty() || list != state.images.list_hash;
  // What a scanner says of an image changes with what it knows; what is in it never does.
  const Duration lifetime = scanner ? std::chrono::seconds(state.settings.intervals_report_seconds)
                                    : bounds::image_list_lifetime;
  state.images_sent = record_after(state.images, sight, std::move(list), now + lifetime, scanner);
  state.more_images = sight.more;
  const std::size_t unreadable = sight.tried.size() - sight.reports.size();
  // Once, not at each look: there are unnamed ones for good wherever images are built.
  const bool told =
      std::exchange(state.images_left_out, sight.local.left_out) == sight.local.left_out;
  if ((!told && sight.local.left_out != 0) || unreadable != 0) {
    step.note(LogLevel::warning, "images_left_out",
              {{"unnamed_or_beyond_limit", std::to_string(sight.local.left_out)},
               {"unreadable", std::to_string(unreadable)}});
  }
  if (!news) return sight.tried.empty() ? settle(step) : close_images(step);
  send(step, Purpose::images, http::Method::post, "/api/agent/container-scan",
       container_scan_body(state.facts, {state.identity.agent, state.version}, sight));
}

void take_images(Step& step, const Answer& answer) {
  State& state = step.state;
  const int status = answer.status;
  if (answer.success()) {
    const auto said = read_flat(answer);
    if (!said) return failed(step, Purpose::images, said.error().message);
    key_proved(step);
    step.note(LogLevel::info, "images_acknowledged",
              {{"images", std::to_string(state.images_sent.entries.size())}});
    return close_images(step);
  }
  if (status == 404 || status == 405 || status == 501) {
    // A server that has no such route, or not this host: the report is what tells it of that.
    step.note(LogLevel::info, "images_not_taken", {{"status", std::to_string(status)}});
    settle(step);
    step.lane(Purpose::images).due = step.now.steady + spread(state, bounds::report_retry_max);
    return;
  }
  if (status == 413) {
    step.note(LogLevel::warning, "image_report_too_large");
    return close_images(step);
  }
  const bool patience = status == 408 || status == 429;
  if (status >= 400 && status < 500 && !patience) {
    return failed(step, Purpose::images,
                  "status " + std::to_string(status) + ", " + read_refusal(answer).message,
                  bounds::report_retry_max);
  }
  refused(step, Purpose::images, answer);
}

bool images_settled(const State& state) {
  return state.images_settled || state.settings.inventory_images == "off";
}

}  // namespace muster::agent::core
