/// \file
/// Retrieval metrics whose value does not depend on how ties were broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval::eval {

/// One query's ranking: distances in ascending order, and which of the items are relevant (1) or not (0).
struct Ranking {
  std::vector<float> distances;
  std::vector<std::uint8_t> relevant;  ///< as long as `distances`
};

/// Average precision over a full ranking: the mean, over all relevant items, of the precision at their rank.
/// Where distances tie, the order is unknown, and the value is one of these.
struct AveragePrecision {
  double expected = 0;  ///< the mean over all orders of the ties (McSherry and Najork 2008, equation 15)
  double worst = 0;     ///< relevant items last in every tie
  double best = 0;      ///< relevant items first in every tie
};

/// \param total_relevant the denominator; at least the number of relevant items in the ranking
/// \throws Error (invalid_argument) when the sizes differ, distances fall, or total_relevant is too small or
/// 0.
AveragePrecision average_precision(const Ranking& ranking, std::size_t total_relevant);

/// Precision at k, the mean over all orders of the ties. A ranking shorter than k is counted as if filled
/// with irrelevant items.
/// \throws Error (invalid_argument) for k = 0 or as above.
double precision_at(const Ranking& ranking, std::size_t k);

/// Interpolated precision at `levels` recall levels 0, 1 / (levels - 1), ..., 1: the best precision at this
/// recall or above, over the ranks where a tie ends.
std::vector<double> interpolated_precision(const Ranking& ranking, std::size_t total_relevant,
                                           std::size_t levels);

/// A percentile interval.
struct Interval {
  double low = 0;
  double high = 0;
};

/// 95 % percentile bootstrap interval of the mean of `values`, drawing whole groups with replacement: the
/// queries of one patient are not independent.
/// \param groups one a value; empty names stand alone
/// \param resamples at least 100
Interval bootstrap_interval(std::span<const double> values, std::span<const std::string> groups,
                            std::size_t resamples, std::uint64_t seed);

}  // namespace medretrieval::eval
