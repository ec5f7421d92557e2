#include <medretrieval/tuning.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <unordered_set>

#include "base/concat.hpp"
#include "base/progress_counter.hpp"

namespace medretrieval {

using detail::fail;

namespace {

constexpr std::size_t kMostPoolFactor = 1'000'000;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Settings measured against the exact answers.
class Trial {
 public:
  Trial(const Searcher& searcher, MatrixView queries, const TuningOptions& options,
        std::span<const QueryContext> contexts)
      : searcher_(searcher), queries_(queries), options_(options), contexts_(contexts) {
    for (const auto& result : searcher.search(queries, exact_search(), contexts)) {
      std::unordered_set<ItemId> ids;
      for (const auto& hit : result.hits) ids.insert(hit.id);
      wanted_ += ids.size();
      nearest_.push_back(std::move(ids));
    }
    if (wanted_ == 0) fail(ErrorCode::invalid_argument, "tuning: no query has an eligible item");
  }

  double recall(std::size_t probes, std::size_t pool_factor) const {
    std::size_t found = 0;
    const auto results = searcher_.search(queries_, search(probes, pool_factor), contexts_);
    for (std::size_t q = 0; q < results.size(); ++q) {
      for (const auto& hit : results[q].hits) found += nearest_[q].contains(hit.id) ? 1 : 0;
    }
    return static_cast<double>(found) / static_cast<double>(wanted_);
  }

  /// Median over the rounds, in microseconds a query.
  double cost(std::size_t probes, std::size_t pool_factor) const {
    std::vector<double> times;
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      const auto begin = std::chrono::steady_clock::now();
      (void)searcher_.search(queries_, search(probes, pool_factor), contexts_);
      const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
      times.push_back(taken.count() / static_cast<double>(queries_.rows()));
    }
    return median(std::move(times));
  }

 private:
  SearchOptions exact_search() const {
    SearchOptions search;
    search.k = options_.k;
    search.exact = true;
    search.threads = options_.threads;
    return search;
  }
  SearchOptions search(std::size_t probes, std::size_t pool_factor) const {
    SearchOptions search;
    search.k = options_.k;
    search.probes = probes;
    search.pool_factor = pool_factor;
    search.threads = options_.threads;
    return search;
  }

  const Searcher& searcher_;
  MatrixView queries_;
  const TuningOptions& options_;
  std::span<const QueryContext> contexts_;
  std::vector<std::unordered_set<ItemId>> nearest_;
  std::size_t wanted_ = 0;
};

/// The fewest probes with the recall at this pool: the first rung of a ladder that reaches it is refined downwards. The
/// ladder begins where the lists hold the pool, for searches with fewer probes visit as many. Tries go to `tried`.
std::optional<std::size_t> fewest_probes(const Trial& trial, std::size_t lists, std::size_t first,
                                         std::size_t pool_factor, double wanted,
                                         std::vector<TriedSetting>& tried) {
  const auto reaches = [&](std::size_t probes) {
    tried.push_back({probes, pool_factor, trial.recall(probes, pool_factor), 0});
    return tried.back().recall >= wanted;
  };
  if (lists == 0) return reaches(0) ? std::optional<std::size_t>(0) : std::nullopt;
  std::size_t low = 0;  // does not reach it
  std::size_t high = std::clamp<std::size_t>(first, 1, lists);
  double before = -1;
  int without_gain = 0;  // doublings in a row; from the second on the pool is what limits the recall
  while (!reaches(high)) {
    without_gain = tried.back().recall < before + 1e-4 ? without_gain + 1 : 0;
    if (high == lists || without_gain == 2) return std::nullopt;
    before = tried.back().recall;
    low = high;
    high = std::min(lists, high * 2);
  }
  while (high - low > std::max<std::size_t>(1, low / 8)) {
    const std::size_t middle = low + (high - low) / 2;
    (reaches(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

void TuningOptions::validate() const {
  if (!(recall > 0 && recall <= 1)) {
    fail(ErrorCode::invalid_argument, "tuning: expected a recall above 0 and at most 1, got ", recall);
  }
  if (k == 0) fail(ErrorCode::invalid_argument, "tuning: expected k of at least 1, got 0");
  if (rounds == 0) fail(ErrorCode::invalid_argument, "tuning: expected at least 1 round, got 0");
  const bool in_range = std::all_of(pool_factors.begin(), pool_factors.end(), [](std::size_t factor) {
    return factor >= 1 && factor <= kMostPoolFactor;
  });
  if (pool_factors.empty() || !in_range ||
      std::adjacent_find(pool_factors.begin(), pool_factors.end(), std::greater_equal<>()) !=
          pool_factors.end()) {
    fail(ErrorCode::invalid_argument, "tuning: expected ascending pool factors of 1 to ", kMostPoolFactor);
  }
}

TuningResult tune_search(const Searcher& searcher, MatrixView queries, const TuningOptions& options,
                         std::span<const QueryContext> contexts) {
  options.validate();
  const Model& model = searcher.snapshot().model();
  if (model.encoder() == nullptr) {
    fail(ErrorCode::invalid_argument, "tuning: the model has no encoder, so there is nothing to tune");
  }
  if (queries.rows() == 0) fail(ErrorCode::invalid_argument, "tuning: expected at least one query, got none");
  const Trial trial(searcher, queries, options, contexts);
  const std::size_t lists = model.lists() != nullptr ? model.lists()->lists() : 0;
  TuningResult result;
  double least = 0;
  detail::ProgressCounter counter(options.progress, "tune", options.pool_factors.size());
  for (const auto pool_factor : options.pool_factors) {
    const std::size_t pool = pool_factor * options.k;
    const std::size_t items = searcher.snapshot().size();
    const auto probes = pool > 2 * items ? std::nullopt
                                         : fewest_probes(trial, lists, (pool * lists + items - 1) / items,
                                                         pool_factor, options.recall, result.tried);
    counter.add(1);
    if (!probes) continue;
    const auto setting = std::find_if(
        result.tried.begin(), result.tried.end(),
        [&](const TriedSetting& each) { return each.probes == *probes && each.pool_factor == pool_factor; });
    setting->microseconds = trial.cost(*probes, pool_factor);
    if (result.chosen && setting->microseconds >= least) continue;
    least = setting->microseconds;
    result.chosen = TunedSearch{setting->recall, options.k, *probes, pool_factor};
  }
  return result;
}

}  // namespace medretrieval
