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

/// Runs the network in evaluation mode, and puts it back to training mode.
RowAnswers answers_of(Network& network, const TrainingSet& set, std::span<const std::size_t> rows,
                      ::torch::Device device, std::size_t batch, int threads);

/// Validates after an epoch.
class Validation {
 public:
  Validation(const TrainingSet& set, std::uint64_t seed);

  /// Sets map and accuracy.
  void measure(Network& network, ::torch::Device device, std::size_t batch, int threads,
               EpochFigures& figures) const;

 private:
  std::optional<double> mean_average_precision(const Tensor& queries, const Tensor& gallery) const;
  std::optional<double> accuracy(const Tensor& logits) const;

  const TrainingSet& set_;
  std::vector<std::size_t> gallery_;  // training rows, drawn once
};

}  // namespace medretrieval::deep
