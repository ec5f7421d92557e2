#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/index.hpp>
#include <medretrieval/searcher.hpp>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/progress_counter.hpp"
#include "search/query_plan.hpp"
#include "search/ranking.hpp"

namespace medretrieval {

using detail::fail;
using detail::FeatureScorer;
using detail::Planner;
using detail::QueryPlan;
using detail::Ranked;

namespace {

constexpr std::size_t kMaxPoolFactor = 1'000'000;
constexpr std::size_t kMaxShards = 4096;

void check_shards(std::size_t shards) {
  if (shards > kMaxShards) {
    fail(ErrorCode::invalid_argument, "search: expected at most ", kMaxShards, " shards, got ", shards);
  }
}

void check_contexts(std::span<const QueryContext> contexts, std::size_t queries, const Model& model) {
  if (!contexts.empty() && contexts.size() != queries) {
    fail(ErrorCode::invalid_argument, "search: expected a context for each of the ", queries,
         " queries, got ", contexts.size());
  }
  for (std::size_t q = 0; q < contexts.size(); ++q) {
    if (!contexts[q].posterior.empty() && contexts[q].posterior.size() != model.labels().size()) {
      fail(ErrorCode::invalid_argument, "search: expected ", model.labels().size(), " posteriors with query ",
           q, ", got ", contexts[q].posterior.size());
    }
  }
}

/// The class posteriors of every query: the context's own, else the gate's.
class Posteriors {
 public:
  Posteriors(const Model& model, const GateOptions& options, MatrixView queries,
             std::span<const QueryContext> contexts, int threads)
      : contexts_(contexts) {
    options.validate();
    if (options.mode == GateMode::off) return;
    gate_ = model.gate();
    if (gate_ == nullptr) fail(ErrorCode::invalid_argument, "search: the gate is on, but the model has none");
    const bool all_given =
        !contexts.empty() && std::none_of(contexts.begin(), contexts.end(),
                                          [](const auto& context) { return context.posterior.empty(); });
    if (!all_given) computed_ = gate_->posteriors(queries, threads);
  }

  const ClassGate* gate() const { return gate_; }
  std::span<const float> of(std::size_t query) const {
    if (gate_ == nullptr) return {};
    if (!contexts_.empty() && !contexts_[query].posterior.empty()) return contexts_[query].posterior;
    return computed_.row(query);
  }

 private:
  std::span<const QueryContext> contexts_;
  const ClassGate* gate_ = nullptr;
  Matrix computed_;
};

/// Threads over groups of queries when there are enough queries, else over the shards of one query at a time.
struct Parallelism {
  int over_groups = 1;
  std::size_t group = 1;  ///< queries in one
  Sharding sharding;

  Parallelism(std::size_t queries, int threads, std::size_t shards, std::size_t group_size) {
    const auto all = static_cast<std::size_t>(detail::resolve_threads(threads));
    const bool by_query = queries >= all;
    const bool grouped = by_query && shards <= 1;
    over_groups = by_query ? static_cast<int>(all) : 1;
    group = grouped ? std::clamp<std::size_t>((queries + all - 1) / all, 1, group_size) : 1;
    sharding.threads = by_query ? 1 : static_cast<int>(all);
    sharding.shards = shards != 0 ? shards : static_cast<std::size_t>(sharding.threads);
  }

  /// Calls run(first query, number of queries) for all groups.
  template <class Run>
  void for_each_group(std::size_t queries, const Run& run) const {
    detail::parallel_for((queries + group - 1) / group, over_groups,
                         [&](std::size_t g) { run(g * group, std::min(group, queries - g * group)); });
  }
};

/// In the order of the distance by which they were found.
std::vector<Ranked> with_code_distance(std::vector<Candidate> candidates, bool exact) {
  std::sort(candidates.begin(), candidates.end());
  std::vector<Ranked> ranked;
  ranked.reserve(candidates.size());
  for (const auto& candidate : candidates) {
    ranked.push_back({candidate, exact ? std::numeric_limits<float>::quiet_NaN() : candidate.distance});
  }
  return ranked;
}

SearchResult result_of(const QueryPlan& plan, const std::vector<Ranked>& ranked, std::size_t most) {
  SearchResult result;
  result.classes_searched = plan.classes;
  result.eligible = plan.eligible;
  result.gate_widened = plan.widened;
  for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) {
    result.hits.push_back({ranked[i].candidate.id, ranked[i].candidate.distance, ranked[i].code_distance});
  }
  return result;
}

/// The first stage of one search call: the exact distance of every item, or the codes' through the model's index.
class FirstStage {
 public:
  /// \param exact the distance of exact search; null: the codes'
  FirstStage(const Model& model, MatrixView queries, const FeatureScorer* exact, std::size_t probes) {
    if (exact != nullptr) {
      index_ = make_flat_search(*exact);
    } else if (model.codes_residuals() || probes != 0) {
      index_ = make_list_search(*model.encoder(), *model.lists(), queries, {probes, model.codes_residuals()});
    } else {
      scorer_ = model.encoder()->scorer(queries);
      index_ = make_flat_search(*scorer_);
    }
  }

  const IndexSearch& index() const { return *index_; }
  /// The pools of a group, or of a lone query in shards.
  std::vector<std::vector<Candidate>> pools(std::span<const IndexQuery> queries,
                                            const Sharding& sharding) const {
    if (queries.size() > 1) return index_->find_group(queries);
    std::vector<std::vector<Candidate>> pools;
    pools.push_back(index_->find(queries.front(), sharding));
    return pools;
  }

 private:
  std::unique_ptr<QueryScorer> scorer_;
  std::unique_ptr<IndexSearch> index_;
};

/// Everything that one search call shares between its queries.
class Search {
 public:
  Search(const detail::SnapshotState& state, MatrixView queries, const SearchOptions& options)
      : state_(state),
        options_(options),
        exact_(queries, detail::feature_distance(options.rerank)),
        first_stage_(state.model, queries, options.exact ? &exact_ : nullptr, options.probes) {}

  std::size_t group_size() const { return first_stage_.index().group_size(); }

  /// Answers the queries from `first`, one for each plan.
  void run(std::size_t first, const std::vector<QueryPlan>& plans, const Sharding& sharding,
           std::span<SearchResult> results) const {
    std::vector<IndexQuery> group;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      group.push_back({first + i,
                       plans[i].parts,
                       {.count = std::min(first_pool_size(), plans[i].eligible)},
                       plans[i].eligible});
    }
    auto pools = first_stage_.pools(group, sharding);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      if (reranks() && i + 1 < plans.size()) detail::prefetch_features(state_, pools[i + 1]);
      results[i] = finish(group[i], plans[i], sharding, std::move(pools[i]));
    }
  }

 private:
  std::size_t first_pool_size() const {
    return options_.exact ? options_.k : options_.k * options_.pool_factor;
  }

  bool reranks() const { return !options_.exact && options_.rerank != Rerank::none; }

  /// Groups may need any number of ranks.
  std::size_t ranks_needed() const {
    return options_.group_by == GroupBy::image ? options_.k : ~std::size_t{0};
  }

  /// Ranks the pool. Grouping may need a larger one than pool_factor * k: it doubles until k groups stand or every row
  /// is in it.
  SearchResult finish(IndexQuery query, const QueryPlan& plan, const Sharding& sharding,
                      std::vector<Candidate> pool) const {
    for (;;) {
      auto ranked = reranks() ? detail::reranked(state_, exact_, query.query, pool, ranks_needed())
                              : with_code_distance(pool, options_.exact);
      if (options_.group_by != GroupBy::image)
        ranked = detail::first_of_groups(state_, options_.group_by, ranked);
      if (ranked.size() >= options_.k || query.limit.count >= plan.eligible) {
        SearchResult result = result_of(plan, ranked, options_.k);
        result.pool_size = pool.size();
        result.shortfall = options_.k - result.hits.size();
        return result;
      }
      query.limit.count = std::min(query.limit.count * 2, plan.eligible);
      pool = first_stage_.index().find(query, sharding);
    }
  }

  const detail::SnapshotState& state_;
  const SearchOptions& options_;
  FeatureScorer exact_;
  FirstStage first_stage_;
};

void require_encoder(const Model& model) {
  if (model.encoder() == nullptr) {
    fail(ErrorCode::invalid_argument, "search: the model has no encoder, so only exact search is possible");
  }
}

}  // namespace

void SearchOptions::validate() const {
  if (k == 0) fail(ErrorCode::invalid_argument, "search: expected k of at least 1, got 0");
  if (pool_factor == 0 || pool_factor > kMaxPoolFactor) {
    fail(ErrorCode::invalid_argument, "search: expected a pool_factor of 1 to ", kMaxPoolFactor, ", got ",
         pool_factor);
  }
  if (exact && rerank == Rerank::none) {
    fail(ErrorCode::invalid_argument, "search: exact search needs a rerank distance, got none");
  }
  gate.validate();
  check_shards(shards);
}

void RangeOptions::validate() const {
  if (!std::isfinite(radius))
    fail(ErrorCode::invalid_argument, "search: expected a finite radius, got ", radius);
  gate.validate();
  check_shards(shards);
}

std::size_t PreparedFilter::items() const noexcept {
  std::size_t count = 0;
  if (rows_ == nullptr) return 0;
  for (const auto& part : rows_->parts) count += part.count();
  return count;
}

Searcher::Searcher(Snapshot snapshot)
    : snapshot_(std::move(snapshot)),
      all_rows_(std::make_shared<const detail::EligibleRows>(Filter{}, snapshot_.shared_state())) {}

PreparedFilter Searcher::prepare(const Filter& filter) const {
  PreparedFilter prepared;
  prepared.rows_ = std::make_shared<const detail::EligibleRows>(filter, snapshot_.shared_state());
  return prepared;
}

std::shared_ptr<const detail::EligibleRows> Searcher::eligible_rows(
    const Filter& filter, const std::optional<PreparedFilter>& prepared) const {
  if (!prepared) return filter.is_empty() ? all_rows_ : prepare(filter).rows_;
  if (!filter.is_empty()) {
    fail(ErrorCode::invalid_argument, "search: expected a filter or a prepared one, got both");
  }
  if (prepared->rows_ == nullptr || prepared->rows_->state != snapshot_.shared_state()) {
    fail(ErrorCode::incompatible, "search: the prepared filter is not one of this snapshot");
  }
  return prepared->rows_;
}

std::vector<SearchResult> Searcher::search(MatrixView queries, const SearchOptions& options,
                                           std::span<const QueryContext> contexts) const {
  const auto& state = snapshot_.state();
  options.validate();
  require_features(queries, "queries", state.model.dimension());
  check_contexts(contexts, queries.rows(), state.model);
  if (options.k > snapshot_.size()) {
    fail(ErrorCode::invalid_argument, "search: expected k of at most the ", snapshot_.size(),
         " items of the gallery, got ", options.k);
  }
  if (!options.exact) require_encoder(state.model);
  if (options.probes != 0 && (options.exact || state.model.lists() == nullptr)) {
    fail(ErrorCode::invalid_argument, "search: probes need ",
         options.exact ? "codes; exact search looks at every item" : "a model with inverted lists");
  }
  const Posteriors posteriors(state.model, options.gate, queries, contexts, options.threads);
  const auto eligible = eligible_rows(options.filter, options.prepared_filter);
  const Planner planner(*eligible, options.exclude_own_patient, !options.exact, options.exact);
  const Search search(state, queries, options);
  const std::size_t group = detail::group_of(state, options.gate, search.group_size());
  const Parallelism parallelism(queries.rows(), options.threads, options.shards, group);
  const QueryContext unknown;
  std::vector<SearchResult> results(queries.rows());
  detail::ProgressCounter counter(options.progress, "search", queries.rows());
  parallelism.for_each_group(queries.rows(), [&](std::size_t first, std::size_t count) {
    std::vector<QueryPlan> plans;
    for (std::size_t q = first; q < first + count; ++q) {
      plans.push_back(planner.plan(contexts.empty() ? unknown : contexts[q], posteriors.gate(),
                                   posteriors.of(q), options.gate, options.widen_gate ? options.k : 0));
    }
    search.run(first, plans, parallelism.sharding, std::span(results).subspan(first, count));
    counter.add(count);
  });
  return results;
}

SearchResult Searcher::search(std::span<const float> query, const SearchOptions& options,
                              const QueryContext& context) const {
  return std::move(search(MatrixView(query), options, {&context, 1}).front());
}

std::vector<SearchResult> Searcher::range_search(MatrixView queries, const RangeOptions& options,
                                                 std::span<const QueryContext> contexts) const {
  const auto& state = snapshot_.state();
  options.validate();
  require_features(queries, "queries", state.model.dimension());
  check_contexts(contexts, queries.rows(), state.model);
  const bool exact = options.distance != Rerank::none;
  if (!exact) require_encoder(state.model);
  const Posteriors posteriors(state.model, options.gate, queries, contexts, options.threads);
  const auto eligible = eligible_rows(options.filter, options.prepared_filter);
  const Planner planner(*eligible, options.exclude_own_patient, !exact, exact);
  const FeatureScorer exact_scorer(queries, detail::feature_distance(options.distance));
  const FirstStage first_stage(state.model, queries, exact ? &exact_scorer : nullptr, 0);
  const std::size_t group_size = detail::group_of(state, options.gate, first_stage.index().group_size());
  const Parallelism parallelism(queries.rows(), options.threads, options.shards, group_size);
  const QueryContext unknown;
  std::vector<SearchResult> results(queries.rows());
  detail::ProgressCounter counter(options.progress, "search", queries.rows());
  parallelism.for_each_group(queries.rows(), [&](std::size_t first, std::size_t count) {
    std::vector<QueryPlan> plans;
    std::vector<IndexQuery> group;
    for (std::size_t q = first; q < first + count; ++q) {
      plans.push_back(planner.plan(contexts.empty() ? unknown : contexts[q], posteriors.gate(),
                                   posteriors.of(q), options.gate, 0));
    }
    for (std::size_t i = 0; i < count; ++i) {
      group.push_back({first + i, plans[i].parts, {.radius = options.radius}, plans[i].eligible});
    }
    const auto pools = first_stage.pools(group, parallelism.sharding);
    for (std::size_t i = 0; i < count; ++i) {
      results[first + i] = result_of(plans[i], with_code_distance(pools[i], exact), pools[i].size());
      results[first + i].pool_size = pools[i].size();
    }
    counter.add(count);
  });
  return results;
}

}  // namespace medretrieval
