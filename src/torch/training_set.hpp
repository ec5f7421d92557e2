// The rows of a training: labels as tensors, the split by patient, images in batches.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <medretrieval/torch/training.hpp>
#include <span>
#include <string>
#include <vector>

namespace medretrieval::deep {

using ::torch::Tensor;

/// Numbers of rows as a tensor that selects them.
Tensor places(std::span<const std::size_t> rows);

/// Rows and labels of a training. Several threads may read it, of which one at a time may ask for batches or targets.
class TrainingSet {
 public:
  /// \throws Error as train_network().
  TrainingSet(const TrainingOptions& options, const TrainingImages& images, std::size_t side);

  const std::vector<std::string>& label_names() const noexcept { return label_names_; }
  bool several_labels() const noexcept { return several_labels_; }
  const std::vector<std::size_t>& training_rows() const noexcept { return training_rows_; }
  const std::vector<std::size_t>& validation_rows() const noexcept { return validation_rows_; }
  const std::string& patient(std::size_t row) const { return images_.patients[row]; }
  /// Of all rows: rows x classes, 0 or 1.
  const Tensor& labels() const noexcept { return labels_; }
  Tensor labels_of(std::span<const std::size_t> rows) const;
  bool has_targets() const noexcept { return static_cast<bool>(images_.load_target); }

  /// The images of rows: rows x 1 x side x side.
  /// \param epoch from 1: altered for that epoch where augmentation is asked for; 0: as they are
  Tensor batch(std::span<const std::size_t> rows, std::size_t epoch, int threads) const;
  /// What a decoder draws for these rows; altered as batch() alters them.
  Tensor targets(std::span<const std::size_t> rows, std::size_t epoch, int threads) const;

 private:
  using Load = std::function<imaging::Image(std::size_t)>;
  Tensor gather(std::span<const std::size_t> rows, std::size_t epoch, int threads, const Load& load,
                std::vector<Tensor>& cache) const;
  Tensor pixels(std::size_t row, const Load& load, std::vector<Tensor>& cache) const;
  void set_labels(const std::vector<std::string>& names);
  void split(double validation_share, std::uint64_t seed);

  const TrainingImages& images_;
  std::optional<imaging::AugmentationOptions> augmentation_;
  std::size_t side_;
  bool cached_;
  std::vector<std::string> label_names_;
  bool several_labels_ = false;
  Tensor labels_;
  std::vector<std::size_t> training_rows_;
  std::vector<std::size_t> validation_rows_;
  mutable std::vector<Tensor> cache_;  // of a row, undefined until it was loaded
  mutable std::vector<Tensor> target_cache_;
};

}  // namespace medretrieval::deep
