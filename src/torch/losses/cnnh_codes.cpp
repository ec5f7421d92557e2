#include "torch/losses/cnnh_codes.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

/// How the squared error of HH' - bits S changes when one entry h of H moves by d: a polynomial of fourth
/// degree.
struct CoordinateChange {
  double slope;     // of the error over 4: the row of L = HH' - bits S times the column of H
  double square;    // the squared length of that column
  double value;     // h
  double diagonal;  // the row's own entry of L

  double at(double d) const {
    const double others = slope - diagonal * value;
    const double own = diagonal + 2 * d * value + d * d;
    return 4 * d * others + 2 * d * d * (square - value * value) + own * own - diagonal * diagonal;
  }

  /// A Newton step that keeps h in [-1, 1], shortened until the error does not rise.
  double best_step() const {
    const double curvature = square + value * value + diagonal;
    double step = curvature > 0 ? -slope / curvature : (slope > 0 ? -2.0 : 2.0);
    step = std::clamp(step, -1 - value, 1 - value);
    for (int halving = 0; halving < 20; ++halving, step /= 2) {
      if (at(step) <= 0) return step;
    }
    return 0;
  }
};

}  // namespace

CnnhCodes::CnnhCodes(const ::torch::Tensor& labels, std::int64_t bits, std::uint64_t seed)
    : rows_(static_cast<std::size_t>(labels.size(0))),
      bits_(static_cast<std::size_t>(bits)),
      random_(seed),
      h_(rows_ * bits_),
      gram_(bits_ * bits_),
      sums_(bits_) {
  find_label_sets(labels);
  set_sums_.resize(sets_.size() / words_ * bits_);
  for (std::size_t row = 0; row < rows_; ++row) {
    for (std::size_t bit = 0; bit < bits_; ++bit) move(row, bit, 2 * random_.uniform() - 1);
  }
}

void CnnhCodes::find_label_sets(const ::torch::Tensor& labels) {
  const ::torch::Tensor present = (labels.cpu() > 0).contiguous();
  const bool* next = present.data_ptr<bool>();
  const auto classes = static_cast<std::size_t>(labels.size(1));
  words_ = classes / 64 + 1;
  std::map<std::vector<std::uint64_t>, std::size_t> known;
  for (std::size_t row = 0; row < rows_; ++row) {
    std::vector<std::uint64_t> set(words_);
    for (std::size_t label = 0; label < classes; ++label) {
      if (*next++) set[label / 64] |= std::uint64_t{1} << (label % 64);
    }
    const auto [place, fresh] = known.try_emplace(std::move(set), known.size());
    if (fresh) sets_.insert(sets_.end(), place->first.begin(), place->first.end());
    set_of_row_.push_back(place->second);
  }
}

bool CnnhCodes::share_a_label(std::size_t set, std::size_t other) const {
  for (std::size_t word = 0; word < words_; ++word) {
    if ((sets_[set * words_ + word] & sets_[other * words_ + word]) != 0) return true;
  }
  return false;
}

void CnnhCodes::apply_similarity(std::size_t set, std::vector<double>& product) const {
  for (std::size_t bit = 0; bit < bits_; ++bit) product[bit] = -sums_[bit];
  for (std::size_t other = 0; other * words_ < sets_.size(); ++other) {
    if (!share_a_label(set, other)) continue;
    for (std::size_t bit = 0; bit < bits_; ++bit) product[bit] += 2 * set_sums_[other * bits_ + bit];
  }
}

/// Adds `step` to an entry of H and to all that follows from H.
void CnnhCodes::move(std::size_t row, std::size_t bit, double step) {
  double* h = &h_[row * bits_];
  for (std::size_t other = 0; other < bits_; ++other) {
    const double change = step * h[other];
    gram_[bit * bits_ + other] += change;
    gram_[other * bits_ + bit] += change;
  }
  gram_[bit * bits_ + bit] += step * step;
  h[bit] += step;
  set_sums_[set_of_row_[row] * bits_ + bit] += step;
  sums_[bit] += step;
}

void CnnhCodes::update_row(std::size_t row, std::vector<double>& product) {
  const std::size_t set = set_of_row_[row];
  const double* h = &h_[row * bits_];
  apply_similarity(set, product);
  if (!share_a_label(set, set)) {  // a row without labels is like itself
    for (std::size_t bit = 0; bit < bits_; ++bit) product[bit] += 2 * h[bit];
  }
  const auto scale = static_cast<double>(bits_);
  for (std::size_t bit = 0; bit < bits_; ++bit) {
    const double* gram = &gram_[bit * bits_];
    const CoordinateChange change = {
        .slope = std::inner_product(h, h + bits_, gram, 0.0) - scale * product[bit],
        .square = gram[bit],
        .value = h[bit],
        .diagonal = std::inner_product(h, h + bits_, h, 0.0) - scale};
    const double step = change.best_step();
    if (step != 0) move(row, bit, step);
  }
}

void CnnhCodes::sweep() {
  std::vector<std::size_t> order(rows_);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t left = rows_; left > 1; --left) std::swap(order[left - 1], order[random_.below(left)]);
  std::vector<double> product(bits_);
  for (const std::size_t row : order) update_row(row, product);
}

double CnnhCodes::error() const {
  const auto scale = static_cast<double>(bits_);
  const auto rows = static_cast<double>(rows_);
  // The sum of (bits S - HH')^2 = bits^2 rows^2 - 2 bits tr(H' S H) + |H'H|^2.
  double sum = scale * scale * rows * rows;
  std::vector<double> product(bits_);
  for (std::size_t set = 0; set * words_ < sets_.size(); ++set) {
    apply_similarity(set, product);
    const double* sums = &set_sums_[set * bits_];
    sum -= 2 * scale * std::inner_product(product.begin(), product.end(), sums, 0.0);
  }
  for (std::size_t row = 0; row < rows_; ++row) {
    const double* h = &h_[row * bits_];
    if (share_a_label(set_of_row_[row], set_of_row_[row])) continue;
    sum -= 4 * scale * std::inner_product(h, h + bits_, h, 0.0);
  }
  sum += std::inner_product(gram_.begin(), gram_.end(), gram_.begin(), 0.0);
  return sum / (scale * scale * rows * rows);
}

::torch::Tensor CnnhCodes::relaxed() const {
  const ::torch::Tensor copy = ::torch::tensor(h_, ::torch::kFloat64);
  return copy.view({static_cast<std::int64_t>(rows_), static_cast<std::int64_t>(bits_)});
}

::torch::Tensor CnnhCodes::codes() const {
  return binary(relaxed()).to(::torch::kFloat32);
}

}  // namespace medretrieval::deep::losses
