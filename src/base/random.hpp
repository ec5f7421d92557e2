// Seeded random numbers that are the same on every machine and standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace medretrieval::detail {

/// xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64. Not for cryptography.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, bound), without modulo bias; bound above 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Standard normal, Marsaglia's polar method with the library's own logarithm.
  double normal();

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

/// `count` distinct numbers below `population`, in ascending order; all of them when count >= population.
std::vector<std::size_t> sample_without_replacement(std::size_t population, std::size_t count,
                                                    Random& random);

}  // namespace medretrieval::detail
