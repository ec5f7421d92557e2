#include "torch/batches.hpp"

#include <utility>

#include "base/random.hpp"

namespace medretrieval::deep {

std::uint64_t seed_for(std::uint64_t seed, std::size_t epoch) {
  detail::Random random(seed);
  return random.next() + epoch * 0x9e3779b97f4a7c15ULL;
}

std::vector<std::vector<std::size_t>> batches_of(std::vector<std::size_t> rows, std::size_t batch,
                                                 std::uint64_t seed, std::size_t epoch) {
  detail::Random random(seed_for(seed, epoch));
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
  const std::size_t count = (rows.size() + batch - 1) / batch;
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t b = 0; b < count; ++b) {
    batches.emplace_back(rows.begin() + static_cast<std::ptrdiff_t>(b * rows.size() / count),
                         rows.begin() + static_cast<std::ptrdiff_t>((b + 1) * rows.size() / count));
  }
  return batches;
}

}  // namespace medretrieval::deep
