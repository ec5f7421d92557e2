#include "limits.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace benchmarks {

namespace {

constexpr std::size_t kCachedBytes = 16 * 1024;
volatile std::uint64_t result_sink;

/// The least seconds of `rounds` calls.
template <class Work>
double least_seconds(int rounds, const Work& work) {
  double least = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    least = std::min(least, seconds.count());
  }
  return least;
}

std::uint64_t sum_words(const std::uint8_t* data, std::size_t bytes) {
  constexpr std::size_t kAhead = 4096;
  std::uint64_t sums[8] = {};
  const auto* words = reinterpret_cast<const std::uint64_t*>(data);
  for (std::size_t i = 0; i < bytes / 8; i += 8) {
    __builtin_prefetch(data + i * 8 + kAhead);
    for (std::size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
  }
  std::uint64_t sum = 0;
  for (const auto each : sums) sum += each;
  return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vpopcntdq"))) std::uint64_t count_bits(const std::uint8_t* data) {
  const __m512i wanted = _mm512_set1_epi64(0x0123456789abcdef);
  __m512i sums[8];
  for (auto& sum : sums) sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < kCachedBytes; i += 512) {
    for (std::size_t v = 0; v < 8; ++v) {
      const __m512i codes = _mm512_load_si512(data + i + v * 64);
      sums[v] = _mm512_add_epi64(sums[v], _mm512_popcnt_epi64(_mm512_xor_si512(codes, wanted)));
    }
  }
  alignas(64) std::uint64_t lanes[8];
  for (std::size_t v = 1; v < 8; ++v) sums[0] = _mm512_add_epi64(sums[0], sums[v]);
  _mm512_store_si512(lanes, sums[0]);
  return lanes[0];
}

__attribute__((target("avx512f,avx512bw"))) std::uint64_t shuffle_halves(const std::uint8_t* data) {
  const __m512i table = _mm512_load_si512(data);
  const __m512i low_half = _mm512_set1_epi8(15);
  __m512i sums[4];
  for (auto& sum : sums) sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < kCachedBytes; i += 128) {
    for (std::size_t v = 0; v < 2; ++v) {
      const __m512i codes = _mm512_load_si512(data + i + v * 64);
      const __m512i high = _mm512_and_si512(_mm512_srli_epi16(codes, 4), low_half);
      sums[2 * v] =
          _mm512_adds_epu8(sums[2 * v], _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low_half)));
      sums[2 * v + 1] = _mm512_adds_epu8(sums[2 * v + 1], _mm512_shuffle_epi8(table, high));
    }
  }
  alignas(64) std::uint64_t lanes[8];
  for (std::size_t v = 1; v < 4; ++v) sums[0] = _mm512_adds_epu8(sums[0], sums[v]);
  _mm512_store_si512(lanes, sums[0]);
  return lanes[0];
}
#endif

template <class Work>
[[maybe_unused]] double seconds_in_cache(std::size_t bytes, const Work& work) {
  alignas(64) static std::uint8_t data[kCachedBytes];
  for (std::size_t i = 0; i < kCachedBytes; ++i) data[i] = static_cast<std::uint8_t>(i * 37);
  constexpr int kCalls = 1000;
  const double seconds = least_seconds(10, [&] {
    for (int call = 0; call < kCalls; ++call) result_sink = work(data);
  });
  return seconds / kCalls * static_cast<double>(bytes) / kCachedBytes;
}

}  // namespace

double seconds_to_read(const std::uint8_t* data, std::size_t bytes, int threads) {
  constexpr int kPasses = 10;
  const std::size_t share = bytes / static_cast<std::size_t>(threads) / 64 * 64;
  const double seconds = least_seconds(3, [&] {
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([=] {
        for (int pass = 0; pass < kPasses; ++pass) {
          result_sink = sum_words(data + static_cast<std::size_t>(t) * share, share);
        }
      });
    }
    for (auto& worker : workers) worker.join();
  });
  return seconds / kPasses;
}

double seconds_to_count_bits([[maybe_unused]] std::size_t bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vpopcntdq")) return seconds_in_cache(bytes, count_bits);
#endif
  return 0;
}

double seconds_to_shuffle([[maybe_unused]] std::size_t bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) return seconds_in_cache(bytes, shuffle_halves);
#endif
  return 0;
}

}  // namespace benchmarks
