// Training and encoding of every encoder on Gaussian features, one thread. Encoding says how many floating-point
// operations of its matrix product or nearest centroids it gets through.
#include <benchmark/benchmark.h>

#include <string>

#include <medretrieval/encoder.hpp>

#include "random_data.hpp"

namespace mr = medretrieval;

namespace {

constexpr std::size_t kDimension = 128;

/// "pq16x8" is PQ with 16 subspaces of 8 bits; binary codes have 64 bits.
mr::EncoderOptions spec_of(const std::string& kind) {
  const std::size_t times = kind.find('x');
  if (kind == "centroid_distance") return {kind, {}};
  if (times == std::string::npos) return {kind, {{"bits", 64}}};
  const std::size_t digits = kind.find_first_of("0123456789");
  return {kind.substr(0, digits),
          {{"subspaces", std::stoll(kind.substr(digits, times - digits))},
           {"bits_per_entry", std::stoll(kind.substr(times + 1))}}};
}

/// Operations to encode one row.
double operations(const mr::CodeLayout& layout) {
  if (layout.kind() == mr::CodeKind::binary) return 2.0 * static_cast<double>(layout.bits() * kDimension);
  return 2.0 * static_cast<double>((std::size_t{1} << layout.bits_per_entry()) * kDimension);
}

void train(benchmark::State& state, const std::string& kind) {
  const auto features = benchmarks::random_matrix(5'000, kDimension, 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(mr::train_encoder(spec_of(kind), {.features = features, .threads = 1}));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(features.rows()));
}

void encode(benchmark::State& state, const std::string& kind) {
  const auto sample = benchmarks::random_matrix(5'000, kDimension, 1);
  const auto encoder = mr::train_encoder(spec_of(kind), {.features = sample, .threads = 1});
  const auto features = benchmarks::random_matrix(50'000, kDimension, 2);
  for (auto _ : state) benchmark::DoNotOptimize(encoder->encode(features, 1));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(features.rows()));
  state.counters["FLOP/s"] =
      benchmark::Counter(operations(encoder->layout()) * static_cast<double>(features.rows()),
                         benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

#define MEDRETRIEVAL_ENCODER_BENCHMARKS(kind)                           \
  BENCHMARK_CAPTURE(train, kind, #kind)->Unit(benchmark::kMillisecond); \
  BENCHMARK_CAPTURE(encode, kind, #kind)->Unit(benchmark::kMillisecond)

MEDRETRIEVAL_ENCODER_BENCHMARKS(lsh);
MEDRETRIEVAL_ENCODER_BENCHMARKS(itq);
MEDRETRIEVAL_ENCODER_BENCHMARKS(pq16x4);
MEDRETRIEVAL_ENCODER_BENCHMARKS(pq8x8);
MEDRETRIEVAL_ENCODER_BENCHMARKS(pq16x8);
MEDRETRIEVAL_ENCODER_BENCHMARKS(pq64x8);
MEDRETRIEVAL_ENCODER_BENCHMARKS(opq16x4);
MEDRETRIEVAL_ENCODER_BENCHMARKS(centroid_distance);
