// Training and encoding of every encoder on Gaussian features, one thread.
#include <benchmark/benchmark.h>

#include <string>

#include <medretrieval/encoder.hpp>

#include "random_data.hpp"

namespace mr = medretrieval;

namespace {

mr::EncoderOptions spec_of(const std::string& kind) {
  if (kind == "pq" || kind == "opq") return {kind, {{"subspaces", 16}, {"bits_per_entry", 4}}};
  return {kind, {{"bits", 64}}};
}

void train(benchmark::State& state, const std::string& kind) {
  const auto features = benchmarks::random_matrix(5'000, 128, 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(mr::train_encoder(spec_of(kind), {.features = features, .threads = 1}));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(features.rows()));
}

void encode(benchmark::State& state, const std::string& kind) {
  const auto sample = benchmarks::random_matrix(5'000, 128, 1);
  const auto encoder = mr::train_encoder(spec_of(kind), {.features = sample, .threads = 1});
  const auto features = benchmarks::random_matrix(50'000, 128, 2);
  for (auto _ : state) benchmark::DoNotOptimize(encoder->encode(features, 1));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(features.rows()));
}

}  // namespace

#define MEDRETRIEVAL_ENCODER_BENCHMARKS(kind)                           \
  BENCHMARK_CAPTURE(train, kind, #kind)->Unit(benchmark::kMillisecond); \
  BENCHMARK_CAPTURE(encode, kind, #kind)->Unit(benchmark::kMillisecond)

MEDRETRIEVAL_ENCODER_BENCHMARKS(lsh);
MEDRETRIEVAL_ENCODER_BENCHMARKS(itq);
MEDRETRIEVAL_ENCODER_BENCHMARKS(pq);
MEDRETRIEVAL_ENCODER_BENCHMARKS(opq);
