// Scans over a million codes in memory: scoring and selection of the k nearest, for lone queries and for a group.
// `roofline` is the share of what the machine can do at best, measured in the same process: for lone queries the time of
// a plain sum over the same bytes at the same number of threads, for groups that of the bare operations on cached codes.
#include <benchmark/benchmark.h>

#include <chrono>
#include <numeric>

#include <medretrieval/index.hpp>
#include <medretrieval/scorer.hpp>

#include "limits.hpp"
#include "random_data.hpp"

namespace mr = medretrieval;

namespace {

constexpr std::size_t kRows = 1'000'000;
constexpr std::size_t kGroup = 64;

/// Codes in memory with ids, as one part.
struct Rows {
  explicit Rows(const mr::CodeLayout& layout)
      : codes(benchmarks::random_codes(layout, kRows, 1)), ids(kRows) {
    std::iota(ids.begin(), ids.end(), mr::ItemId{0});
    part.codes = codes;
    part.ids = ids;
  }
  mr::Codes codes;
  std::vector<mr::ItemId> ids;
  mr::ScanPart part{
      .codes = mr::CodesView(mr::CodeLayout::binary(1), nullptr, 0), .features = {}, .ids = {}, .end = kRows};
};

/// Runs the benchmark's loop; `work` scans for `queries` queries at once, `limit` is the seconds of the machine at best.
template <class Work>
void measure(benchmark::State& state, std::size_t queries, double limit, const Work& work) {
  double seconds = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    auto found = work();
    benchmark::DoNotOptimize(found.data());
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(queries * kRows));
  if (limit > 0) state.counters["roofline"] = limit * static_cast<double>(state.iterations()) / seconds;
}

void scan_lone(benchmark::State& state, const Rows& rows, const mr::QueryScorer& scorer) {
  const auto k = static_cast<std::size_t>(state.range(2));
  const int threads = static_cast<int>(state.range(3));
  const double limit =
      benchmarks::seconds_to_read(rows.codes.view().blocks(), rows.codes.view().size_bytes(), threads);
  const auto search = mr::make_flat_search(scorer);
  measure(state, 1, limit, [&] {
    return search->find({0, {&rows.part, 1}, {.count = k}}, {static_cast<std::size_t>(threads), threads});
  });
}

void scan_group(benchmark::State& state, const Rows& rows, const mr::QueryScorer& scorer, double limit) {
  std::vector<mr::IndexQuery> queries;
  for (std::size_t q = 0; q < kGroup; ++q) {
    queries.push_back({q, {&rows.part, 1}, {.count = static_cast<std::size_t>(state.range(2))}});
  }
  const auto search = mr::make_flat_search(scorer);
  measure(state, kGroup, limit, [&] { return search->find_group(queries); });
}

void hamming(benchmark::State& state, bool group) {
  const auto layout = mr::CodeLayout::binary(static_cast<std::size_t>(state.range(0)));
  const Rows rows(layout);
  const auto scorer = mr::make_hamming_scorer(benchmarks::random_codes(layout, kGroup, 2));
  if (!group) return scan_lone(state, rows, *scorer);
  scan_group(state, rows, *scorer,
             benchmarks::seconds_to_count_bits(kGroup * rows.codes.view().size_bytes()));
}

/// The bare operations known are those of 4-bit codes.
void adc(benchmark::State& state, bool group) {
  const auto layout = mr::CodeLayout::product(static_cast<std::size_t>(state.range(0)),
                                              static_cast<std::size_t>(state.range(1)));
  const std::size_t entries = layout.subspaces() << layout.bits_per_entry();
  const Rows rows(layout);
  const auto scorer = mr::make_adc_scorer(layout, benchmarks::random_matrix(kGroup, entries, 2));
  if (!group) return scan_lone(state, rows, *scorer);
  const std::size_t bytes = kGroup * rows.codes.view().size_bytes();
  scan_group(state, rows, *scorer, state.range(1) == 4 ? benchmarks::seconds_to_shuffle(bytes) : 0);
}

}  // namespace

BENCHMARK_CAPTURE(hamming, lone, false)
    ->ArgNames({"bits", "", "k", "threads"})
    ->ArgsProduct({{32, 64, 128, 256, 512}, {1}, {10, 1000}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(hamming, group, true)
    ->ArgNames({"bits", "", "k"})
    ->ArgsProduct({{64, 128, 256}, {1}, {10, 1000}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(adc, lone, false)
    ->ArgNames({"subspaces", "bits", "k", "threads"})
    ->ArgsProduct({{8, 16, 32, 64}, {4, 8}, {10}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(adc, group, true)
    ->ArgNames({"subspaces", "bits", "k"})
    ->ArgsProduct({{16, 32, 64}, {4, 8}, {10}})
    ->Unit(benchmark::kMicrosecond);
