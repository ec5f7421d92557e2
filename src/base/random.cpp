#include "base/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/portable_math.hpp"

namespace medretrieval::detail {

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) {  // splitmix64
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  const std::uint64_t reject_below = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= reject_below) return value % bound;
  }
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  for (;;) {
    const double u = 2 * uniform() - 1;
    const double v = 2 * uniform() - 1;
    const double s = u * u + v * v;
    if (s >= 1 || s == 0) continue;
    const double scale = std::sqrt(-2 * portable_log(s) / s);
    spare_ = v * scale;
    has_spare_ = true;
    return u * scale;
  }
}

std::vector<std::size_t> sample_without_replacement(std::size_t population, std::size_t count,
                                                    Random& random) {
  std::vector<std::size_t> chosen;
  if (count >= population) {
    chosen.resize(population);
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    return chosen;
  }
  std::vector<bool> seen(population);  // Floyd's algorithm
  for (std::size_t i = population - count; i < population; ++i) {
    const std::size_t candidate = random.below(i + 1);
    seen[seen[candidate] ? i : candidate] = true;
  }
  chosen.reserve(count);
  for (std::size_t i = 0; i < population; ++i) {
    if (seen[i]) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace medretrieval::detail
