// How good codes and posteriors are on rows that were not trained on.
#pragma once

#include <cstdint>
#include <medretrieval/torch/training.hpp>
#include <optional>

#include "torch/network.hpp"
#include "torch/training_set.hpp"

namespace medretrieval::deep {

/// Rows as the network sees them.
struct RowAnswers {
  Tensor hash;    ///< rows x bits
  Tensor logits;  ///< rows x classes
};

/// How a network is run over rows of a training set.
struct RowRunner {
  Network& network;
  const TrainingSet& set;
  ::torch::Device device;
  std::size_t batch;
  int threads;
  Tensor fixed_features = {};  ///< of all rows, where training leaves them as they are; else undefined

  /// In evaluation mode; afterwards the network is in training mode again.
  RowAnswers answers_of(std::span<const std::size_t> rows) const;
  /// Features of all rows, as they are.
  Tensor features_of_all() const;

 private:
  /// Hands the outputs of a batch at a time over, in order.
  void run(std::span<const std::size_t> rows, const std::function<void(const NetworkOutput&)>& use) const;
};

/// Validates after an epoch.
class Validation {
 public:
  Validation(const TrainingSet& set, std::uint64_t seed);

  /// Whether a held-out row shares a label with a row of the gallery, without which there is no mAP.
  bool has_relevant_rows() const;
  /// Whether the held-out rows' labels can tell how well classes are told: a row has one; where rows have several, a
  /// label is there that not all of them have.
  bool has_classes() const;

  /// Sets map, accuracy and, with several labels a row, the area under the ROC curve.
  void measure(const RowRunner& runner, EpochFigures& figures) const;

 private:
  /// Held-out rows x gallery.
  Tensor relevant_rows() const;
  std::optional<double> mean_average_precision(const Tensor& distances) const;
  std::optional<double> accuracy(const Tensor& logits) const;
  std::optional<double> area_under_curve(const Tensor& logits) const;

  const TrainingSet& set_;
  std::vector<std::size_t> gallery_;  // training rows, drawn once
};

}  // namespace medretrieval::deep
