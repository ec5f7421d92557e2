// A lone query over codes in memory, one thread: scoring and selection of the k nearest.
#include <benchmark/benchmark.h>

#include <numeric>

#include <medretrieval/scorer.hpp>

#include "random_data.hpp"

namespace mr = medretrieval;

namespace {

constexpr std::size_t kRows = 1'000'000;

void scan(benchmark::State& state, const mr::CodeLayout& layout, const mr::QueryScorer& scorer) {
  const auto codes = benchmarks::random_codes(layout, kRows, 1);
  std::vector<mr::ItemId> ids(kRows);
  std::iota(ids.begin(), ids.end(), mr::ItemId{0});
  const auto k = static_cast<std::size_t>(state.range(2));
  for (auto _ : state) {
    mr::CandidatePool pool({.count = k});
    const mr::ScanPart part{.codes = codes, .features = {}, .ids = ids, .end = kRows};
    pool.enter(part);
    scorer.begin(0)->scan(part, pool);
    auto nearest = pool.take();
    benchmark::DoNotOptimize(nearest.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRows * layout.bits() / 8));
}

void hamming(benchmark::State& state) {
  const auto layout = mr::CodeLayout::binary(static_cast<std::size_t>(state.range(0)));
  scan(state, layout, *mr::make_hamming_scorer(benchmarks::random_codes(layout, 1, 2)));
}

void adc(benchmark::State& state) {
  const auto layout = mr::CodeLayout::product(static_cast<std::size_t>(state.range(0)),
                                              static_cast<std::size_t>(state.range(1)));
  const std::size_t entries = layout.subspaces() << layout.bits_per_entry();
  scan(state, layout, *mr::make_adc_scorer(layout, benchmarks::random_matrix(1, entries, 2)));
}

}  // namespace

BENCHMARK(hamming)
    ->ArgNames({"bits", "", "k"})
    ->ArgsProduct({{32, 64, 128, 256, 512}, {1}, {10, 1000}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(adc)
    ->ArgNames({"subspaces", "bits", "k"})
    ->ArgsProduct({{8, 16, 32}, {4, 8}, {10}})
    ->Unit(benchmark::kMicrosecond);
