#include "torch/losses/target_codes.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "base/concat.hpp"
#include "base/random.hpp"

namespace medretrieval::deep::losses {

namespace {

using Words = std::vector<std::uint64_t>;

Words draw_words(std::int64_t bits, detail::Random& random) {
  Words words(static_cast<std::size_t>((bits + 63) / 64));
  for (auto& word : words) word = random.next();
  if (bits % 64 != 0) words.back() &= (std::uint64_t{1} << (bits % 64)) - 1;
  return words;
}

std::int64_t hamming(const Words& a, const Words& b) {
  std::int64_t distance = 0;
  for (std::size_t i = 0; i < a.size(); ++i) distance += std::popcount(a[i] ^ b[i]);
  return distance;
}

void write_signs(const Words& words, std::int64_t bits, float* signs) {
  for (std::int64_t bit = 0; bit < bits; ++bit) {
    const bool set = (words[static_cast<std::size_t>(bit / 64)] >> (bit % 64) & 1) != 0;
    signs[bit] = set ? 1.0F : -1.0F;
  }
}

Words draw_far_from(const std::vector<Words>& codes, std::int64_t bits, std::int64_t& least_distance,
                    detail::Random& random) {
  constexpr int kDraws = 200;
  for (int draw = 1;; ++draw) {
    Words words = draw_words(bits, random);
    const bool far = std::all_of(codes.begin(), codes.end(),
                                 [&](const Words& other) { return hamming(words, other) >= least_distance; });
    if (far) return words;
    if (draw % kDraws == 0) least_distance = std::max<std::int64_t>(1, least_distance - 1);
  }
}

}  // namespace

Tensor hadamard_codes(std::int64_t classes, std::int64_t bits) {
  Tensor codes = ::torch::empty({classes, bits});
  float* signs = codes.data_ptr<float>();
  for (std::int64_t row = 0; row < classes; ++row) {
    for (std::int64_t bit = 0; bit < bits; ++bit) {
      const auto common = static_cast<std::uint64_t>((row % bits) & bit);
      const bool negative = (std::popcount(common) % 2 != 0) != (row >= bits);
      *signs++ = negative ? -1.0F : 1.0F;
    }
  }
  return codes;
}

Tensor separated_codes(std::int64_t classes, std::int64_t bits, std::uint64_t seed) {
  if (bits < 62 && classes > std::int64_t{1} << (bits - 1)) {
    detail::fail(ErrorCode::invalid_argument, "expected at most ", std::int64_t{1} << (bits - 1),
                 " classes for codes of ", bits, " bits, got ", classes);
  }
  detail::Random random(seed);
  std::int64_t least_distance = std::max<std::int64_t>(1, bits / 2);
  std::vector<Words> codes;
  Tensor signs = ::torch::empty({classes, bits});
  for (std::int64_t row = 0; row < classes; ++row) {
    codes.push_back(draw_far_from(codes, bits, least_distance, random));
    write_signs(codes.back(), bits, signs.data_ptr<float>() + row * bits);
  }
  return signs;
}

TargetCodes::TargetCodes(Tensor class_codes, std::uint64_t seed)
    : class_codes_(std::move(class_codes)), tie_code_(::torch::empty({class_codes_.size(1)})) {
  constexpr std::uint64_t kTieStream = 0x7469657321;  // apart from the draws of the class codes
  detail::Random random(seed ^ kTieStream);
  const std::int64_t bits = class_codes_.size(1);
  write_signs(draw_words(bits, random), bits, tie_code_.data_ptr<float>());
}

Tensor TargetCodes::of(const Tensor& labels) const {
  const Tensor sums = labels.mm(class_codes_.to(labels.options()));
  // A sum is a whole number, so half a tie code decides nothing but ties.
  return ::torch::sign(sums + tie_code_.to(labels.options()) / 2);
}

Tensor mean_over_labelled(const Tensor& costs, const Tensor& labels) {
  const Tensor labelled = (labels.sum(1) > 0).to(costs.dtype());
  return (costs.mean(1) * labelled).sum() / labelled.sum().clamp_min(1);
}

}  // namespace medretrieval::deep::losses
