#include "imaging/import_survey.hpp"

#include "base/concat.hpp"
#include "imaging/import_manifest.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr std::size_t kShownExamples = 3;

std::uint8_t part_bit(OfficialSplit part) {
  return part == OfficialSplit::none ? std::uint8_t{0}
                                     : static_cast<std::uint8_t>(1U << static_cast<unsigned>(part));
}

}  // namespace

void count_kind(std::map<std::string, SkippedCount>& counts, std::string_view kind, const std::string& what) {
  SkippedCount& entry = counts[std::string(kind)];
  ++entry.count;
  if (entry.examples.size() < kShownExamples) entry.examples.push_back(what);
}

std::string list_of_counts(const std::map<std::string, SkippedCount>& counts) {
  std::string list;
  for (const auto& [kind, entry] : counts) {
    list +=
        detail::concat(list.empty() ? "" : ", ", entry.count, ' ', kind, " (", entry.examples.front(), ")");
  }
  return list.empty() ? "nothing" : list;
}

void Survey::add(DatasetRecord record) {
  check_record(record, type_);
  has_test_part_ = has_test_part_ || record.official == OfficialSplit::test;
  const bool left_out = split_ == SplitRule::official && record.official == OfficialSplit::none;
  groups_.add(record, part_bit(record.official));
  if (left_out) {
    count_kind(skipped_, "no_official_part", record.key);
  } else {
    ++usable_;
    const Fingerprint key = fingerprint_of(record.key);
    if (!keys_.insert(key).second) repeated_keys_.insert(key);
  }
  reporter_.one_done();
}

void Survey::skip(std::string_view kind, const std::string& what) {
  count_kind(skipped_, kind, what);
  reporter_.one_done();
}

void Survey::require_usable(const std::filesystem::path& root, bool allow_leak) const {
  if (usable_ == 0) {
    fail(ErrorCode::not_found, "no image of the data set '", type_.name, "' in ", root.string(),
         "; left out: ", list_of_counts(skipped_));
  }
  if (split_ != SplitRule::official || allow_leak) return;
  const PatientGroups::Leak leak = groups_.leak();
  if (leak.patients == 0) return;
  fail(ErrorCode::incompatible, "the official split has ", leak.patients, " patients in two parts (",
       leak.example,
       " is one), so that a query could find its own patient; split by patient, or allow the leak");
}

}  // namespace medretrieval::imaging
