/// \file
/// Class labels: their names, and which of them each row carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval {

/// A class by its place in a LabelVocabulary.
using ClassId = std::uint32_t;

/// The ordered list of distinct label names of a model. Immutable.
class LabelVocabulary {
 public:
  static constexpr std::size_t kMaxLabels = 65535;

  LabelVocabulary() = default;
  /// \throws Error invalid_argument (an empty or repeated name), limit_exceeded (more than kMaxLabels).
  explicit LabelVocabulary(std::vector<std::string> names);

  std::size_t size() const noexcept { return names_.size(); }
  bool empty() const noexcept { return names_.empty(); }
  const std::string& name(ClassId label) const { return names_.at(label); }
  const std::vector<std::string>& names() const noexcept { return names_; }
  std::optional<ClassId> find(std::string_view name) const noexcept;
  /// \throws Error (not_found) that lists the known labels.
  ClassId at(std::string_view name) const;

  bool operator==(const LabelVocabulary&) const = default;

 private:
  std::vector<std::string> names_;
  std::vector<ClassId> by_name_;  // numbers sorted by name
};

/// The labels of many rows: none, one or several each.
class LabelSets {
 public:
  LabelSets() = default;
  /// From names; every one must be in the vocabulary.
  /// \throws Error (not_found) naming the row and the unknown label.
  LabelSets(const LabelVocabulary& vocabulary, std::span<const std::vector<std::string>> rows);

  /// Appends a row. Repeated labels count once; the first one given is the primary class.
  void add_row(std::span<const ClassId> labels);

  std::size_t rows() const noexcept { return starts_.size() - 1; }
  std::span<const ClassId> row(std::size_t r) const noexcept {
    return {values_.data() + starts_[r], values_.data() + starts_[r + 1]};
  }
  /// True when some row has more than one label.
  bool has_several() const noexcept;

 private:
  std::vector<std::size_t> starts_ = {0};
  std::vector<ClassId> values_;
};

/// True when the two rows share a label.
bool share_a_label(std::span<const ClassId> a, std::span<const ClassId> b) noexcept;

}  // namespace medretrieval
