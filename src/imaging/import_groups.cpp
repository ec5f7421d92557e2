#include "imaging/import_groups.hpp"

#include <bit>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

namespace medretrieval::imaging {

namespace {

Fingerprint study_name(const DatasetRecord& record) {
  return fingerprint_of("study " + record.study);
}

Fingerprint series_name(const DatasetRecord& record) {
  return fingerprint_of("series " + record.series);
}

}  // namespace

Fingerprint fingerprint_of(std::string_view text) {
  return Fingerprint::of(std::as_bytes(std::span(text)));
}

std::size_t PatientGroups::group_of(const Fingerprint& name, bool is_series) {
  const auto [entry, is_new] = index_.emplace(name, groups_.size());
  if (is_new) groups_.push_back({.parent = groups_.size(), .is_series = is_series, .name = name});
  return root(entry->second);
}

// The smaller group always joins the larger, so that the way to a root stays short.
std::size_t PatientGroups::root(std::size_t group) const {
  while (groups_[group].parent != group) group = groups_[group].parent;
  return group;
}

std::size_t PatientGroups::join(std::size_t first, std::size_t second) {
  if (first == second) return first;
  if (groups_[first].size < groups_[second].size) std::swap(first, second);
  Group& into = groups_[first];
  Group& from = groups_[second];
  from.parent = first;
  into.size += from.size;
  into.parts = static_cast<std::uint8_t>(into.parts | from.parts);
  const bool differ = !into.patient.empty() && !from.patient.empty() && into.patient != from.patient;
  into.two_patients = into.two_patients || from.two_patients || differ;
  if (into.patient.empty()) into.patient = std::move(from.patient);
  if (std::tie(from.is_series, from.name) < std::tie(into.is_series, into.name)) {
    into.is_series = from.is_series;
    into.name = from.name;
  }
  return first;
}

void PatientGroups::add(const DatasetRecord& record, std::uint8_t part) {
  std::optional<std::size_t> group;
  if (!record.study.empty()) group = group_of(study_name(record), false);
  if (!record.series.empty()) {
    const std::size_t series = group_of(series_name(record), true);
    group = group ? join(*group, series) : series;
  }
  if (!group) {
    if (!record.patient.empty() && part != 0) {
      std::uint8_t& parts = alone_[record.patient];
      parts = static_cast<std::uint8_t>(parts | part);
    }
    return;
  }
  Group& known = groups_[*group];
  known.parts = static_cast<std::uint8_t>(known.parts | part);
  if (record.patient.empty() || known.patient == record.patient) return;
  if (known.patient.empty()) {
    known.patient = record.patient;
  } else {
    known.two_patients = true;
  }
}

Subject PatientGroups::of(const DatasetRecord& record) const {
  auto found = index_.end();
  if (!record.study.empty()) found = index_.find(study_name(record));
  if (found == index_.end() && !record.series.empty()) found = index_.find(series_name(record));
  const Group* group = found == index_.end() ? nullptr : &groups_[root(found->second)];
  Subject subject;
  subject.of_two_patients = group != nullptr && group->two_patients;
  subject.patient = record.patient.empty() && group != nullptr ? group->patient : record.patient;
  if (!subject.patient.empty()) {
    subject.unit = fingerprint_of("patient " + subject.patient);
  } else {
    subject.unit = group != nullptr ? group->name : fingerprint_of("image " + record.key);
  }
  return subject;
}

PatientGroups::Leak PatientGroups::leak() const {
  Leak leak;
  auto parts_of = alone_;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    if (group.parent != i || group.two_patients) continue;  // those of two patients are left out
    if (!group.patient.empty()) {
      std::uint8_t& parts = parts_of[group.patient];
      parts = static_cast<std::uint8_t>(parts | group.parts);
    } else if (std::popcount(group.parts) > 1) {
      ++leak.patients;
      leak.example = "one without an id";
    }
  }
  for (const auto& [patient, parts] : parts_of) {
    if (std::popcount(parts) < 2) continue;
    if (leak.patients++ == 0) leak.example = patient;
  }
  return leak;
}

}  // namespace medretrieval::imaging
