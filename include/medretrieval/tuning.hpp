/// \file
/// Finding the search parameters that reach a wanted recall at the least cost.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <medretrieval/gallery.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>
#include <medretrieval/searcher.hpp>

namespace medretrieval {

/// What to look for.
struct TuningOptions {
  double recall = 0.95;  ///< wanted share of the exact k nearest, above 0 and at most 1
  std::size_t k = 10;    ///< at least 1
  /// Pools to try, ascending; each 1 to 1,000,000.
  std::vector<std::size_t> pool_factors = {1, 2, 3, 5, 8, 12, 20, 32, 50, 100, 200, 500};
  std::size_t rounds =
      3;            ///< measurements of each setting that reaches the recall; the median counts; at least 1
  int threads = 0;  ///< 0: all
  Progress progress = {};  ///< counts pool factors

  /// \throws Error (invalid_argument).
  void validate() const;
};

/// A setting that was tried.
struct TriedSetting {
  std::size_t probes = 0;  ///< 0 without inverted lists
  std::size_t pool_factor = 0;
  double recall = 0;
  double microseconds =
      0;  ///< of a query in a batch; 0 when the recall was not reached and no time was taken
};

/// All that was tried, and the fastest that reached the recall.
struct TuningResult {
  std::vector<TriedSetting> tried;
  std::optional<TunedSearch> chosen;  ///< none: nothing reached it
};

/// Tries settings on held-out queries. The recall of a setting is the mean share of the exact k nearest (squared
/// Euclidean distance of the stored features, own patient and self left out as the contexts say) among its answers; for
/// each pool the fewest probes that reach the recall are looked for. Recall is the same on every run, times are not: so
/// may be the choice between settings of nearly equal cost.
/// \param queries not among the rows that encoder and lists learned from
/// \param contexts one a query, or empty
/// \throws Error invalid_argument (options, features, contexts, fewer items than k, a model without encoder),
///        cancelled.
TuningResult tune_search(const Searcher& searcher, MatrixView queries, const TuningOptions& options = {},
                         std::span<const QueryContext> contexts = {});

}  // namespace medretrieval
