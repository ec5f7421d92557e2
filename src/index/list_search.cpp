// Inverted lists: a query visits the lists of the nearest centroids. Queries of a group that visit the same list are
// scored together, so that its codes are read once.
#include <algorithm>
#include <medretrieval/index.hpp>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "index/list_rows.hpp"
#include "index/nearest_lists.hpp"
#include "index/visit_scans.hpp"

namespace medretrieval {

using index::Visit;
using index::VisitScans;

namespace {

constexpr std::size_t kMostInGroup = 2048;
constexpr std::size_t kMostVisits = std::size_t{1} << 21;  // of a group
constexpr std::size_t kFewInGroup = 64;
constexpr std::size_t kRowsOfTwoThreads = 16384;
constexpr std::size_t kMostAhead = 32;     // lists whose codes are asked for before they are scored
constexpr std::size_t kVisitsOfAList = 4;  // by as many queries of a batch it pays to score them together

/// The same visits by list, those of one list in their order.
std::vector<Visit> by_list(const std::vector<Visit>& visits, std::size_t lists) {
  std::vector<std::uint32_t> next(lists + 1);
  for (const auto& visit : visits) ++next[visit.list + 1];
  for (std::size_t list = 0; list < lists; ++list) next[list + 1] += next[list];
  std::vector<Visit> sorted(visits.size());
  for (const auto& visit : visits) sorted[next[visit.list]++] = visit;
  return sorted;
}

class InvertedLists final : public IndexSearch {
 public:
  InvertedLists(const Encoder& encoder, const CoarseQuantizer& lists, MatrixView queries,
                const ListSearch& options)
      : encoder_(encoder), lists_(lists), queries_(queries), options_(options) {
    if (!options.residuals) scorer_ = encoder.scorer(queries);
  }

  std::size_t group_size() const noexcept override {
    return shares_lists() ? std::clamp<std::size_t>(kMostVisits / probes(), 1, kMostInGroup) : kFewInGroup;
  }

  std::vector<Candidate> find(const IndexQuery& query, const Sharding& sharding) const override {
    require_lists(query);
    std::vector<Visit> visits;
    for (const auto list : lists_to_visit(query, nearest(query))) visits.push_back({list, 0});
    const auto [shards, threads] = worthwhile(query, visits, sharding);
    std::vector<CandidatePool> pools(shards, CandidatePool(query.limit));
    detail::parallel_for(shards, threads, [&, shards = shards](std::size_t shard) {
      std::vector<Visit> own;  // dealt out, so that every shard has near lists first
      for (std::size_t v = shard; v < visits.size(); v += shards) own.push_back(visits[v]);
      for (const auto& visit : std::span(own).first(std::min(kMostAhead, own.size()))) {
        index::prefetch_codes(query.parts, visit.list);
      }
      auto scans = scans_of(own, {&query, 1});
      for (std::size_t v = 0; v < own.size(); ++v) scans.scan(v, pools[shard]);
    });
    for (std::size_t shard = 1; shard < shards; ++shard) pools[0].merge(std::move(pools[shard]));
    return pools[0].take_unordered();
  }

  std::vector<std::vector<Candidate>> find_group(std::span<const IndexQuery> queries) const override {
    for (const auto& query : queries) require_lists(query);
    return shares_lists() ? find_together(queries) : find_each(queries);
  }

 private:
  /// How a lone query is divided: few rows are scored before a second thread has woken up.
  static Sharding worthwhile(const IndexQuery& query, std::span<const Visit> visits, Sharding sharding) {
    std::size_t rows = 0;
    for (const auto& visit : visits) {
      index::for_each_piece(query.parts, visit.list,
                            [&](const ScanPart& piece) { rows += piece.end - piece.begin; });
    }
    if (rows < kRowsOfTwoThreads) sharding = sharding.for_one_thread();
    sharding.shards = std::max<std::size_t>(1, std::min(sharding.shards, visits.size()));
    return sharding;
  }

  /// Query by query: each finds its pool in the cache, while the codes of the next one are on their way.
  std::vector<std::vector<Candidate>> find_each(std::span<const IndexQuery> queries) const {
    std::vector<Visit> visits;
    std::vector<std::size_t> ends;  // of the visits of each query
    auto nearest = nearest_of(queries);
    for (std::uint32_t q = 0; q < queries.size(); ++q) {
      for (const auto list : lists_to_visit(queries[q], std::move(nearest[q]))) visits.push_back({list, q});
      ends.push_back(visits.size());
    }
    std::vector<std::vector<Candidate>> found;
    found.reserve(queries.size());
    CandidatePool pool({});
    auto scans = scans_of(visits, queries);
    for (std::size_t q = 0, v = 0, ahead = 0; q < queries.size(); ++q) {
      ahead = std::max(ahead, v);
      for (; q + 1 < queries.size() && ahead < std::min(ends[q + 1], v + kMostAhead); ++ahead) {
        index::prefetch_codes(queries[visits[ahead].member].parts, visits[ahead].list);
      }
      pool.reset(queries[q].limit);
      for (; v < ends[q]; ++v) scans.scan(v, pool);
      found.push_back(pool.take_unordered());
    }
    return found;
  }

  std::vector<std::vector<Candidate>> find_together(std::span<const IndexQuery> queries) const {
    std::vector<CandidatePool> pools;
    std::vector<Visit> nearest;  // of every query, visited first: they make the thresholds tight
    std::vector<Visit> further;
    choose(queries, nearest, further);
    for (const auto& query : queries) pools.emplace_back(query.limit);
    for (const auto* some : {&nearest, &further}) {
      const auto visits = by_list(*some, lists_.lists());
      auto scans = scans_of(visits, queries);
      for (std::size_t v = 0; v < visits.size(); ++v) scans.scan(v, pools[visits[v].member]);
    }
    std::vector<std::vector<Candidate>> found;
    for (auto& pool : pools) found.push_back(pool.take_unordered());
    return found;
  }

  VisitScans scans_of(std::span<const Visit> visits, std::span<const IndexQuery> members) const {
    return {encoder_, lists_, scorer_.get(), queries_, members, visits};
  }

  bool shares_lists() const { return queries_.rows() * probes() >= kVisitsOfAList * lists_.lists(); }

  std::size_t probes() const { return options_.probes == 0 ? lists_.lists() : options_.probes; }

  static void require_lists(const IndexQuery& query) {
    for (const auto& part : query.parts) {
      if (part.lists == nullptr) detail::fail(ErrorCode::incompatible, "inverted lists: a part has none");
    }
  }

  /// Whether all rows that the query may look at come into its pool: then no order of lists is needed.
  static bool takes_all(const IndexQuery& query) { return query.eligible <= query.limit.count; }

  std::vector<std::uint32_t> nearest(const IndexQuery& query) const {
    if (takes_all(query)) return {};
    return std::move(lists_.nearest(queries_.rows_from(query.query, 1), probes()).front());
  }

  /// The nearest lists of every query.
  std::vector<std::vector<std::uint32_t>> nearest_of(std::span<const IndexQuery> queries) const {
    Matrix rows(queries.size(), queries_.cols());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const auto row = queries_.row(queries[i].query);
      std::copy(row.begin(), row.end(), rows.row(i).begin());
    }
    return lists_.nearest(rows, probes());
  }

  /// As many lists as the options and the limit ask for, the nearest first unless all are taken.
  /// \param first the nearest
  std::vector<std::uint32_t> lists_to_visit(const IndexQuery& query, std::vector<std::uint32_t> first) const {
    std::vector<std::uint32_t> chosen;
    if (takes_all(query)) {
      for (std::uint32_t list = 0; query.eligible != 0 && list < lists_.lists(); ++list) {
        if (index::rows_that_count(query.parts, list) != 0) chosen.push_back(list);
      }
      return chosen;
    }
    index::NearestLists nearest(lists_, queries_.rows_from(query.query, 1), std::move(first));
    for (std::size_t rows = 0;
         rows < query.eligible && (chosen.size() < probes() || rows < query.limit.count);) {
      const auto list = nearest.next();
      if (!list) break;
      const std::size_t here = index::rows_that_count(query.parts, *list);
      if (here == 0) continue;
      rows += here;
      chosen.push_back(*list);
    }
    return chosen;
  }

  void choose(std::span<const IndexQuery> queries, std::vector<Visit>& nearest,
              std::vector<Visit>& further) const {
    for (std::size_t first = 0; first < queries.size(); first += kFewInGroup) {
      const auto some = queries.subspan(first, std::min(kFewInGroup, queries.size() - first));
      auto lists = nearest_of(some);
      for (std::size_t i = 0; i < some.size(); ++i) {
        bool is_first = true;
        for (const auto list : lists_to_visit(some[i], std::move(lists[i]))) {
          (is_first ? nearest : further).push_back({list, static_cast<std::uint32_t>(first + i)});
          is_first = false;
        }
      }
    }
  }

  const Encoder& encoder_;
  const CoarseQuantizer& lists_;
  MatrixView queries_;
  ListSearch options_;
  std::unique_ptr<QueryScorer> scorer_;  // of codes that do not depend on the list
};

}  // namespace

std::unique_ptr<IndexSearch> make_list_search(const Encoder& encoder, const CoarseQuantizer& lists,
                                              MatrixView queries, const ListSearch& options) {
  return std::make_unique<InvertedLists>(encoder, lists, queries, options);
}

}  // namespace medretrieval
