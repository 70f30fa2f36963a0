// SPDX-License-Identifier: Apache-2.0
#include "feeds/epss/epss.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "feeds/plain.h"

namespace muster::feeds {

namespace {

constexpr std::size_t line_bytes_max = 200;

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return trim(line);
}

std::string_view take_cell(std::string_view& line) {
  const std::string_view cell = line.substr(0, line.find(','));
  line.remove_prefix(std::min(cell.size() + 1, line.size()));
  return cell;
}

std::optional<model::EpssScore> read_score(std::string_view line) {
  if (line.size() > line_bytes_max) return std::nullopt;
  model::EpssScore score;
  score.cve = take_cell(line);
  const auto probability = model::parse_epss_share(take_cell(line));
  const auto percentile = model::parse_epss_share(line);
  if (!model::is_cve_id(score.cve) || !probability || !percentile) return std::nullopt;
  score.probability = *probability;
  score.percentile = *percentile;
  return score;
}

/// "#model_version:v2023.03.01,score_date:2023-03-07T00:00:00+0000"
void read_comment(std::string_view line, FeedSummary& summary) {
  constexpr std::string_view version = "#model_version:";
  constexpr std::string_view date = "score_date:";
  if (!line.starts_with(version)) return;
  line.remove_prefix(version.size());
  const std::string model = plain_line(take_cell(line), 80);
  if (line.starts_with(date)) summary.released = plain_line(line.substr(date.size()), 80);
  // The date first: editions compare, and scores jump between models.
  summary.edition = summary.released + (model.empty() ? "" : " (" + model + ")");
}

}  // namespace

Result<FeedSummary> parse_epss(std::string_view text,
                               const std::function<void(model::EpssScore&&)>& take) {
  FeedSummary summary;
  std::string_view line = take_line(text);
  if (line.starts_with('#')) {
    read_comment(line, summary);
    line = take_line(text);
  }
  if (line != "cve,epss,percentile") {
    return invalid_field("epss", "has no heading \"cve,epss,percentile\"");
  }
  std::size_t number = 0;
  while (!text.empty()) {
    line = take_line(text);
    if (line.empty()) continue;
    ++number;
    if (auto score = read_score(line)) {
      ++summary.records;
      take(std::move(*score));
      continue;
    }
    summary.skip("score " + std::to_string(number), plain_line(line, 80));
  }
  if (summary.records == 0) return invalid_field("epss", "no score could be read");
  return summary;
}

}  // namespace muster::feeds
