// The lists of a query, the nearest first, worked out only as far as they are asked for.
#pragma once

#include <cstdint>
#include <medretrieval/coarse_quantizer.hpp>
#include <optional>
#include <vector>

namespace medretrieval::index {

/// Gives every list once. Beyond those expected, the lists come in batches that grow, each in the order of its distances.
class NearestLists {
 public:
  /// \param query outlives this, like the quantizer
  /// \param first the nearest lists of the query, as CoarseQuantizer::nearest() gives them
  NearestLists(const CoarseQuantizer& quantizer, MatrixView query, std::vector<std::uint32_t> first)
      : quantizer_(quantizer), query_(query), lists_(std::move(first)) {}

  /// None after the last.
  std::optional<std::uint32_t> next();

 private:
  void ask_for_more();

  const CoarseQuantizer& quantizer_;
  MatrixView query_;
  std::vector<std::uint32_t> lists_;
  std::size_t given_ = 0;
};

}  // namespace medretrieval::index
