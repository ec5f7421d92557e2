// What a training teaches, and so what makes one of its epochs better than another.
#pragma once

#include <medretrieval/torch/training.hpp>
#include <optional>

#include "torch/validation.hpp"

namespace medretrieval::deep {

class EpochJudge {
 public:
  EpochJudge(const TrainingPlan& plan, const Network& network, bool several_labels);

  /// Whether posteriors come to mean anything.
  bool learns_classes() const noexcept { return learns_classes_; }
  /// Whether anything shapes the codes: a hashing loss, or a classifier that stands on the hash layer.
  bool learns_hash() const noexcept { return learns_hashing_ || (learns_classes_ && classifies_hash_); }

  /// What of an epoch is to be large: the codes' figure where a loss shapes them, the classes' where codes are random.
  /// Codes that only a classifier on them shapes may be good by luck, and classes may be told by codes that are all
  /// alike after the threshold; so then it is the mean of both. None where held-out rows tell nothing.
  std::optional<double> value_of(const EpochFigures& figures) const;

  /// \throws Error (invalid_argument) where no held-out row can tell one epoch from another, so that patience would
  ///         never end.
  void require_comparable_epochs(const Validation& validation) const;

 private:
  bool learns_classes_;
  bool learns_hashing_;
  bool classifies_hash_;
  bool several_labels_;
};

}  // namespace medretrieval::deep
