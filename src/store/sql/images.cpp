// SPDX-License-Identifier: Apache-2.0
#include "store/sql/images.h"

#include "store/sql/text_list.h"
#include "store/store.h"

namespace muster::store {

namespace {

constexpr std::int64_t severity_above_all = 1000;

#define IMAGE_COLUMNS                                                                  \
  "i.org_id, i.image_id, i.identity, i.digest, i.kind, i.os, i.arch, i.repo_digests, " \
  "i.first_seen, i.scanned_at, i.content_hash, i.package_set, i.package_count, "       \
  "i.unidentified_count, i.packages_at"
#define FINDING_COLUMNS                                                                      \
  "f.org_id, f.finding_id, f.image_id, f.type, f.package, f.advisory_id, f.cve, f.version, " \
  "f.fixed_version, f.severity, f.fix_status, f.status, f.acceptance_id, f.opened_at, "      \
  "f.resolved_at, f.resolution, f.details, f.reported, f.matches"
#define FINDING_VIEW                                                         \
  "SELECT " FINDING_COLUMNS                                                  \
  ", CASE WHEN k.cve IS NULL THEN 0 ELSE 1 END, e.probability, e.percentile" \
  " FROM image_findings f LEFT JOIN kev_entries k ON k.cve = f.cve"          \
  " LEFT JOIN feeds s ON s.feed = 'epss'"                                    \
  " LEFT JOIN epss_scores e ON e.generation = s.generation AND e.cve = f.cve"
/// An ImageFilter as $1 to $4.
#define IMAGE_FILTER                                                                       \
  "($1 IS NULL OR i.org_id = $1)"                                                          \
  " AND ($2 IS NULL OR EXISTS (SELECT 1 FROM host_images h WHERE h.org_id = i.org_id"      \
  " AND h.image_id = i.image_id AND h.host_id = $2 AND (h.retired_at IS NULL OR $4 = 1)))" \
  " AND ($3 IS NULL OR EXISTS (SELECT 1 FROM image_findings f WHERE f.org_id = i.org_id"   \
  " AND f.image_id = i.image_id AND f.cve = $3 AND f.status = 'open'))"                    \
  " AND ($4 = 1 OR EXISTS (SELECT 1 FROM host_images h WHERE h.org_id = i.org_id"          \
  " AND h.image_id = i.image_id AND h.retired_at IS NULL))"

ImageRow read_image(const Rows& rows) {
  ImageRow image;
  image.org = rows.number_id<OrgId>(0);
  image.id = rows.number_id<ImageId>(1);
  image.identity = rows.string(2);
  image.digest = rows.string(3);
  image.kind = rows.string(4);
  image.os = rows.string(5);
  image.arch = rows.string(6);
  image.repo_digests = decode_text_list(rows.text(7));
  image.first_seen = rows.instant(8);
  image.scanned_at = rows.maybe_instant(9);
  image.content = rows.sha256(10);
  if (!rows.is_null(11)) image.package_set = rows.key_hash(11);
  image.package_count = rows.integer(12);
  image.unidentified_count = rows.integer(13);
  image.packages_at = rows.maybe_instant(14);
  return image;
}

HostImageRow read_host_image(const Rows& rows) {
  HostImageRow row;
  row.org = rows.number_id<OrgId>(0);
  row.host = rows.number_id<HostId>(1);
  row.image = rows.number_id<ImageId>(2);
  row.reference = rows.string(3);
  row.first_seen = rows.instant(4);
  row.last_seen = rows.instant(5);
  row.retired_at = rows.maybe_instant(6);
  row.given = rows.string(7);
  return row;
}

ImageFinding read_finding(const Rows& rows) {
  ImageFinding finding;
  finding.org = rows.number_id<OrgId>(0);
  finding.id = rows.number_id<FindingId>(1);
  finding.image = rows.number_id<ImageId>(2);
  finding.type = rows.string(3);
  finding.package = rows.string(4);
  finding.advisory_id = rows.string(5);
  finding.cve = rows.maybe_string(6);
  finding.version = rows.string(7);
  finding.fixed_version = rows.string(8);
  finding.severity = static_cast<model::Severity>(rows.integer(9));
  finding.fix_status = model::parse_fix_status(rows.text(10));
  const auto status = model::parse_finding_status(rows.text(11));
  if (!status) throw StoreError("image_findings: unknown status");
  finding.status = *status;
  if (!rows.is_null(12)) finding.acceptance = rows.number_id<AcceptanceId>(12);
  finding.opened_at = rows.instant(13);
  finding.resolved_at = rows.maybe_instant(14);
  finding.resolution = rows.string(15);
  finding.details = rows.string(16);
  finding.reported = rows.boolean(17);
  finding.matches = rows.string(18);
  return finding;
}

std::vector<ImageFindingView> read_views(Rows rows) {
  std::vector<ImageFindingView> views;
  while (rows.next()) {
    ImageFindingView& view = views.emplace_back();
    view.finding = read_finding(rows);
    view.known_exploited = rows.boolean(19);
    if (rows.is_null(20)) continue;
    view.epss = {*view.finding.cve, static_cast<std::int32_t>(rows.integer(20)),
                 static_cast<std::int32_t>(rows.integer(21))};
  }
  return views;
}

std::optional<ImageRow> first_image(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return read_image(rows);
}

}  // namespace

std::optional<ImageRow> find_image_by_identity(Reader& reader, OrgId org,
                                               std::string_view identity) {
  return first_image(reader.query("SELECT " IMAGE_COLUMNS
                                  " FROM images i WHERE i.org_id = $1 AND i.identity = $2",
                                  org, identity));
}

std::optional<ImageRow> find_image(Reader& reader, ImageId id) {
  return first_image(
      reader.query("SELECT " IMAGE_COLUMNS " FROM images i WHERE i.image_id = $1", id));
}

void set_image(Tx& tx, const ImageRow& image) {
  tx.post(
      "INSERT INTO images (org_id, image_id, identity, digest, kind, os, arch, repo_digests,"
      " first_seen, scanned_at, content_hash, package_set, package_count, unidentified_count,"
      " packages_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
      " ON CONFLICT (org_id, image_id) DO UPDATE SET kind = excluded.kind, os = excluded.os,"
      " arch = excluded.arch, repo_digests = excluded.repo_digests,"
      " scanned_at = excluded.scanned_at, content_hash = excluded.content_hash,"
      " package_set = excluded.package_set, package_count = excluded.package_count,"
      " unidentified_count = excluded.unidentified_count, packages_at = excluded.packages_at",
      image.org, image.id, image.identity, image.digest, image.kind, image.os, image.arch,
      encode_text_list(image.repo_digests), image.first_seen, image.scanned_at, image.content,
      image.package_set, image.package_count, image.unidentified_count, image.packages_at);
}

std::vector<ImageRow> list_images_with_packages(Reader& reader, ImageId after, int count) {
  Rows rows = reader.query("SELECT " IMAGE_COLUMNS
                           " FROM images i WHERE i.package_set IS NOT NULL AND i.image_id > $1"
                           " ORDER BY i.image_id LIMIT $2",
                           after, count);
  std::vector<ImageRow> images;
  while (rows.next()) images.push_back(read_image(rows));
  return images;
}

void set_host_image(Tx& tx, const HostImageRow& row) {
  tx.post(
      "INSERT INTO host_images (org_id, host_id, image_id, reference, first_seen, last_seen, given)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)"
      " ON CONFLICT (org_id, host_id, image_id, reference) DO UPDATE SET"
      " last_seen = excluded.last_seen, retired_at = NULL, given = excluded.given",
      row.org, row.host, row.image, row.reference, row.first_seen, row.last_seen, row.given);
}

std::vector<HostImageRow> list_images_of_host(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT org_id, host_id, image_id, reference, first_seen, last_seen, retired_at, given"
      " FROM host_images WHERE org_id = $1 AND host_id = $2 AND retired_at IS NULL"
      " ORDER BY image_id, reference",
      org, host);
  std::vector<HostImageRow> images;
  while (rows.next()) images.push_back(read_host_image(rows));
  return images;
}

void retire_host_image(Tx& tx, OrgId org, HostId host, ImageId image, std::string_view reference,
                       Instant now) {
  tx.post(
      "UPDATE host_images SET retired_at = $5 WHERE org_id = $1 AND host_id = $2"
      " AND image_id = $3 AND reference = $4",
      org, host, image, reference, now);
}

std::vector<ImageHostView> list_hosts_of_image(Reader& reader, OrgId org, ImageId image,
                                               int count) {
  Rows rows = reader.query(
      "SELECT i.org_id, i.host_id, i.image_id, i.reference, i.first_seen, i.last_seen,"
      " i.retired_at, i.given, h.hostname FROM host_images i"
      " JOIN hosts h ON h.org_id = i.org_id AND h.host_id = i.host_id"
      " WHERE i.org_id = $1 AND i.image_id = $2"
      " ORDER BY CASE WHEN i.retired_at IS NULL THEN 0 ELSE 1 END, i.last_seen DESC, i.host_id,"
      " i.reference LIMIT $3",
      org, image, count);
  std::vector<ImageHostView> hosts;
  while (rows.next()) hosts.push_back({read_host_image(rows), rows.string(8)});
  return hosts;
}

void set_image_finding(Tx& tx, const ImageFinding& finding) {
  tx.post(
      "INSERT INTO image_findings (org_id, finding_id, image_id, type, package, advisory_id, cve,"
      " version, fixed_version, severity, fix_status, status, acceptance_id, opened_at,"
      " resolved_at, resolution, details, reported, matches)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
      " $19)"
      " ON CONFLICT (org_id, image_id, type, package, advisory_id) DO UPDATE SET"
      " opened_at = CASE WHEN excluded.status <> 'resolved' AND image_findings.status = 'resolved'"
      " THEN excluded.opened_at ELSE image_findings.opened_at END,"
      " cve = excluded.cve, version = excluded.version, fixed_version = excluded.fixed_version,"
      " severity = excluded.severity, fix_status = excluded.fix_status, status = excluded.status,"
      " acceptance_id = excluded.acceptance_id,"
      " resolved_at = CASE WHEN excluded.status <> 'resolved' THEN NULL"
      " ELSE coalesce(image_findings.resolved_at, excluded.resolved_at) END,"
      " resolution = excluded.resolution, details = excluded.details,"
      " reported = excluded.reported, matches = excluded.matches",
      finding.org, finding.id, finding.image, finding.type, finding.package, finding.advisory_id,
      finding.cve, finding.version, finding.fixed_version,
      static_cast<std::int64_t>(finding.severity), model::fix_status_name(finding.fix_status),
      model::finding_status_name(finding.status), finding.acceptance, finding.opened_at,
      finding.resolved_at, finding.resolution, finding.details, finding.reported, finding.matches);
}

void rename_image_finding(Tx& tx, const ImageFinding& finding) {
  tx.post(
      "UPDATE image_findings SET type = $3, package = $4, advisory_id = $5"
      " WHERE org_id = $1 AND finding_id = $2",
      finding.org, finding.id, finding.type, finding.package, finding.advisory_id);
}

void resolve_image_finding(Tx& tx, OrgId org, FindingId id, std::string_view resolution,
                           Instant now) {
  tx.post(
      "UPDATE image_findings SET status = 'resolved', acceptance_id = NULL,"
      " resolved_at = coalesce(resolved_at, $3), resolution = $4, reported = 0"
      " WHERE org_id = $1 AND finding_id = $2 AND (status <> 'resolved' OR reported = 1)",
      org, id, now, resolution);
}

std::vector<ImageFinding> list_findings_of_image(Reader& reader, OrgId org, ImageId image) {
  Rows rows = reader.query("SELECT " FINDING_COLUMNS
                           " FROM image_findings f WHERE f.org_id = $1 AND f.image_id = $2"
                           " ORDER BY f.type, f.package, f.advisory_id",
                           org, image);
  std::vector<ImageFinding> findings;
  while (rows.next()) findings.push_back(read_finding(rows));
  return findings;
}

std::int64_t count_open_findings_of_image(Reader& reader, OrgId org, ImageId image) {
  Rows rows = reader.query(
      "SELECT count(*) FROM image_findings WHERE org_id = $1 AND image_id = $2"
      " AND status = 'open'",
      org, image);
  rows.next();
  return rows.integer(0);
}

ImageView view_image(Reader& reader, ImageRow image) {
  ImageView view;
  view.image = std::move(image);
  const OrgId org = view.image.org;
  const ImageId id = view.image.id;
  Rows hosts = reader.query(
      "SELECT count(DISTINCT host_id) FROM host_images WHERE org_id = $1 AND image_id = $2"
      " AND retired_at IS NULL",
      org, id);
  hosts.next();
  view.hosts = hosts.integer(0);
  // An image that no host has any more is still called by its last names.
  Rows names = reader.query(
      "SELECT DISTINCT reference FROM host_images WHERE org_id = $1 AND image_id = $2"
      " AND (retired_at IS NULL OR $3 = 1) ORDER BY reference LIMIT $4",
      org, id, view.hosts == 0, static_cast<std::int64_t>(limits::image_tags));
  while (names.next()) view.references.push_back(names.string(0));
  Rows findings = reader.query(
      "SELECT f.severity, count(*), count(k.cve) FROM image_findings f"
      " LEFT JOIN kev_entries k ON k.cve = f.cve"
      " WHERE f.org_id = $1 AND f.image_id = $2 AND f.status = 'open' GROUP BY f.severity",
      org, id);
  while (findings.next()) {
    view.findings.at(static_cast<std::size_t>(findings.integer(0))) = findings.integer(1);
    view.known_exploited += findings.integer(2);
  }
  return view;
}

std::vector<ImageView> list_images(Reader& reader, const ImageFilter& filter, ImageId before,
                                   int count) {
  std::vector<ImageRow> images;
  {
    Rows rows = reader.query("SELECT " IMAGE_COLUMNS " FROM images i WHERE " IMAGE_FILTER
                             " AND i.image_id < $5 ORDER BY i.image_id DESC LIMIT $6",
                             filter.org, filter.host, filter.cve, filter.retired, before, count);
    while (rows.next()) images.push_back(read_image(rows));
  }
  std::vector<ImageView> views;
  views.reserve(images.size());
  for (ImageRow& image : images) views.push_back(view_image(reader, std::move(image)));
  return views;
}

Total count_images(Reader& reader, const ImageFilter& filter) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM images i WHERE " IMAGE_FILTER " LIMIT $5) AS counted",
      filter.org, filter.host, filter.cve, filter.retired, limits::counted_rows + 1));
}

std::vector<ImageFindingView> list_image_findings(Reader& reader, OrgId org, ImageId image,
                                                  bool open_only,
                                                  const std::optional<FindingPlace>& after,
                                                  int count) {
  const FindingPlace place =
      after.value_or(FindingPlace{true, severity_above_all, FindingId{number_id_max}});
  return read_views(reader.query(
      FINDING_VIEW
      " WHERE f.org_id = $1 AND f.image_id = $2 AND ($3 = 0 OR f.status = 'open')"
      " AND (CASE WHEN k.cve IS NULL THEN 0 ELSE 1 END, f.severity, f.finding_id) < ($4, $5, $6)"
      " ORDER BY CASE WHEN k.cve IS NULL THEN 0 ELSE 1 END DESC, f.severity DESC,"
      " f.finding_id DESC LIMIT $7",
      org, image, open_only, place.known_exploited, place.severity, place.id, count));
}

std::optional<ImageFindingView> find_image_finding(Reader& reader, FindingId id) {
  auto views = read_views(reader.query(
      FINDING_VIEW " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.finding_id = $1", id));
  if (views.empty()) return std::nullopt;
  return std::move(views.front());
}

Total count_image_findings(Reader& reader, OrgId org, ImageId image, bool open_only) {
  return read_total(
      reader.query("SELECT count(*) FROM (SELECT 1 FROM image_findings f WHERE f.org_id = $1"
                   " AND f.image_id = $2 AND ($3 = 0 OR f.status = 'open') LIMIT $4) AS counted",
                   org, image, open_only, limits::counted_rows + 1));
}

}  // namespace muster::store
