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

/// Threads over queries when there are enough of them, else over the shards of one query at a time.
struct Parallelism {
  int over_queries = 1;
  Sharding sharding;

  Parallelism(std::size_t queries, int threads, std::size_t shards) {
    const int all = detail::resolve_threads(threads);
    const bool by_query = queries >= static_cast<std::size_t>(all);
    over_queries = by_query ? all : 1;
    sharding.threads = by_query ? 1 : all;
    sharding.shards = shards != 0 ? shards : static_cast<std::size_t>(sharding.threads);
  }
};

std::vector<Ranked> with_code_distance(const std::vector<Candidate>& candidates, bool exact) {
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

/// Everything that one search call shares between its queries.
class Search {
 public:
  Search(const detail::SnapshotState& state, MatrixView queries, const SearchOptions& options,
         const Sharding& sharding)
      : state_(state),
        options_(options),
        sharding_(sharding),
        exact_(queries, detail::feature_distance(options.rerank)) {
    if (!options.exact) scorer_ = state.model.encoder()->scorer(queries);
  }

  SearchResult run(std::size_t query, const QueryPlan& plan) const {
    // Grouping may need a larger pool than pool_factor * k: it doubles until k groups stand or every row is
    // in it.
    std::size_t pool_size = options_.exact ? options_.k : options_.k * options_.pool_factor;
    for (;;) {
      pool_size = std::min(pool_size, plan.eligible);
      const auto pool = flat_index().find(first_stage(), query, plan.parts, {.count = pool_size}, sharding_);
      auto ranked = options_.exact || options_.rerank == Rerank::none
                        ? with_code_distance(pool, options_.exact)
                        : detail::reranked(state_, exact_, query, pool);
      ranked = detail::first_of_groups(state_, options_.group_by, ranked);
      if (ranked.size() < options_.k && pool_size < plan.eligible) {
        pool_size *= 2;
        continue;
      }
      SearchResult result = result_of(plan, ranked, options_.k);
      result.pool_size = pool.size();
      result.shortfall = options_.k - result.hits.size();
      return result;
    }
  }

 private:
  const QueryScorer& first_stage() const {
    return options_.exact ? static_cast<const QueryScorer&>(exact_) : *scorer_;
  }

  const detail::SnapshotState& state_;
  const SearchOptions& options_;
  Sharding sharding_;
  FeatureScorer exact_;
  std::unique_ptr<QueryScorer> scorer_;
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

Searcher::Searcher(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

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
  const Posteriors posteriors(state.model, options.gate, queries, contexts, options.threads);
  const Planner planner(state, options.filter, options.exclude_own_patient, !options.exact, options.exact);
  const Parallelism parallelism(queries.rows(), options.threads, options.shards);
  const Search search(state, queries, options, parallelism.sharding);
  const QueryContext unknown;
  std::vector<SearchResult> results(queries.rows());
  detail::ProgressCounter counter(options.progress, "search", queries.rows());
  detail::parallel_for(queries.rows(), parallelism.over_queries, [&](std::size_t q) {
    const QueryContext& context = contexts.empty() ? unknown : contexts[q];
    const auto plan = planner.plan(context, posteriors.gate(), posteriors.of(q), options.gate,
                                   options.widen_gate ? options.k : 0);
    results[q] = search.run(q, plan);
    counter.add(1);
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
  const Planner planner(state, options.filter, options.exclude_own_patient, !exact, exact);
  const Parallelism parallelism(queries.rows(), options.threads, options.shards);
  const FeatureScorer exact_scorer(queries, detail::feature_distance(options.distance));
  const auto code_scorer = exact ? nullptr : state.model.encoder()->scorer(queries);
  const QueryScorer& scorer = exact ? static_cast<const QueryScorer&>(exact_scorer) : *code_scorer;
  const QueryContext unknown;
  std::vector<SearchResult> results(queries.rows());
  detail::ProgressCounter counter(options.progress, "search", queries.rows());
  detail::parallel_for(queries.rows(), parallelism.over_queries, [&](std::size_t q) {
    const QueryContext& context = contexts.empty() ? unknown : contexts[q];
    const auto plan = planner.plan(context, posteriors.gate(), posteriors.of(q), options.gate, 0);
    const auto found =
        flat_index().find(scorer, q, plan.parts, {.radius = options.radius}, parallelism.sharding);
    results[q] = result_of(plan, with_code_distance(found, exact), found.size());
    results[q].pool_size = found.size();
    counter.add(1);
  });
  return results;
}

}  // namespace medretrieval
