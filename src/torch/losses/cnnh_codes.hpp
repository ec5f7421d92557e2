// The first stage of CNNH: codes that agree with the labels of all training rows.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "base/random.hpp"

namespace medretrieval::deep::losses {

/// Factors S ~ HH'/bits by coordinate descent, H in [-1, 1]. S is 1 for rows that share a label, else -1, and
/// 1 for a row with itself. S is never stored: rows with equal label sets are alike to it, so it is applied
/// through the sums of H over the sets. Memory rows * bits + bits^2 + sets * (bits + classes / 8); a sweep
/// takes time rows * (bits^2 + sets * bits).
class CnnhCodes {
 public:
  /// H starts uniform in [-1, 1].
  /// \param labels rows x classes, 0 or 1
  CnnhCodes(const ::torch::Tensor& labels, std::int64_t bits, std::uint64_t seed);

  /// One pass over all coordinates, the rows in random order. error() never rises, but for rounding.
  void sweep();

  /// The mean of (S - HH'/bits)^2 over all rows x rows.
  double error() const;

  /// H, rows x bits, float64.
  ::torch::Tensor relaxed() const;

  /// rows x bits of -1 and 1, float32: the signs of H.
  ::torch::Tensor codes() const;

 private:
  void find_label_sets(const ::torch::Tensor& labels);
  bool share_a_label(std::size_t set, std::size_t other) const;
  /// Row `set` of S times H, for a row of that set other than its own product with itself; into `product`.
  void apply_similarity(std::size_t set, std::vector<double>& product) const;
  void update_row(std::size_t row, std::vector<double>& product);
  void move(std::size_t row, std::size_t bit, double step);

  std::size_t rows_;
  std::size_t bits_;
  detail::Random random_;
  std::size_t words_ = 0;                // of a set of labels
  std::vector<std::uint64_t> sets_;      // sets x words_
  std::vector<std::size_t> set_of_row_;  // rows
  std::vector<double> h_;                // rows x bits
  std::vector<double> gram_;             // bits x bits: H'H
  std::vector<double> set_sums_;         // sets x bits: sums of H over the rows of a set
  std::vector<double> sums_;             // bits: sums of H over all rows
};

}  // namespace medretrieval::deep::losses
