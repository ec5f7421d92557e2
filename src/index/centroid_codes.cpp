#include "index/centroid_codes.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "kernels/dispatch.hpp"

namespace medretrieval::index {

namespace {

constexpr std::size_t kBlockRows = CodeLayout::kBlockRows;
constexpr std::size_t kEntries = 16;
constexpr std::size_t kMostSubspaces = 32;
constexpr unsigned kMostSum = 254;  // 255 may be more
/// Of the sum of the tables' ranges: distances beyond it are not told apart.
constexpr double kNearShare = 0.5;

/// The sums of all centroids for one query after another.
class Sums {
 public:
  explicit Sums(const CodesView& codes)
      : codes_(codes),
        subspaces_(codes.layout().subspaces()),
        least_(subspaces_),
        largest_(subspaces_),
        entries_((subspaces_ + subspaces_ % 2) * kEntries),
        masks_((codes.rows() + kBlockRows - 1) / kBlockRows),
        sums_(masks_.size() * kBlockRows) {}

  /// \param tables of the query
  void compute(const float* tables) {
    const auto& kernel = kernels::active();
    kernel.table_ranges(tables, subspaces_, kEntries, least_.data(), largest_.data());
    double range = 0;
    for (std::size_t m = 0; m < subspaces_; ++m) range += double{largest_[m]} - double{least_[m]};
    // Steps so large that a distance in the nearer part of the ranges fits a byte.
    const double step = range * kNearShare / kMostSum;
    constexpr double kMostScale = std::numeric_limits<float>::max();
    const auto scale = step > 0 ? static_cast<float>(std::min(1 / step, kMostScale)) : 0.0F;
    kernel.quantize_tables(tables, subspaces_, kEntries, least_.data(), scale, 255, entries_.data());
    kernel.byte_sums(codes_.blocks(), masks_.size(), entries_.data(), subspaces_, sums_.data());
    std::fill(sums_.begin() + static_cast<std::ptrdiff_t>(codes_.rows()), sums_.end(), std::uint8_t{255});
  }

  /// The rows with the least sums: at least `wanted`, or none.
  std::vector<std::uint32_t> least(std::size_t wanted) {
    std::vector<std::uint32_t> rows;
    const std::size_t kept = mark_least(wanted);
    if (kept < wanted) return rows;
    rows.reserve(kept);
    for (std::size_t b = 0; b < masks_.size(); ++b) {
      for (std::uint64_t bits = masks_[b]; bits != 0; bits &= bits - 1) {
        rows.push_back(static_cast<std::uint32_t>(b * kBlockRows + std::countr_zero(bits)));
      }
    }
    return rows;
  }

 private:
  std::size_t mark(unsigned bound) {
    return kernels::active().sums_up_to(sums_.data(), masks_.size(), static_cast<std::uint8_t>(bound),
                                        masks_.data());
  }
  /// Bisects the bound until it keeps `wanted` and few more, or is the least that keeps so many.
  std::size_t mark_least(std::size_t wanted) {
    unsigned low = 0;
    unsigned high = kMostSum;
    while (low < high) {
      const unsigned middle = (low + high) / 2;
      const std::size_t kept = mark(middle);
      if (kept >= wanted && kept <= wanted + wanted / 4) return kept;
      if (kept < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return mark(high);
  }

  CodesView codes_;
  std::size_t subspaces_;
  std::vector<float> least_;
  std::vector<float> largest_;
  std::vector<std::uint8_t> entries_;
  std::vector<std::uint64_t> masks_;
  std::vector<std::uint8_t> sums_;
};

}  // namespace

std::shared_ptr<const Encoder> CentroidCodes::train(MatrixView centroids, int threads) {
  const auto subspaces =
      static_cast<std::int64_t>(std::clamp<std::size_t>(centroids.cols() / 2, 1, kMostSubspaces));
  return train_encoder({"pq", {{"subspaces", subspaces}, {"bits_per_entry", 4}, {"iterations", 8}}},
                       {.features = centroids, .threads = threads});
}

bool CentroidCodes::fits(const Encoder& encoder, std::size_t dimension) {
  const auto* product = dynamic_cast<const encoders::ProductEncoder*>(&encoder);
  return product != nullptr && !product->has_rotation() && encoder.dimension() == dimension &&
         encoder.layout().bits_per_entry() == 4;
}

CentroidCodes::CentroidCodes(std::shared_ptr<const Encoder> encoder, MatrixView centroids, int threads)
    : encoder_(std::dynamic_pointer_cast<const encoders::ProductEncoder>(std::move(encoder))),
      codes_(encoder_->encode(centroids, threads)) {}

std::vector<std::vector<std::uint32_t>> CentroidCodes::near(MatrixView queries, std::size_t wanted) const {
  const Matrix tables = encoder_->distance_tables(queries);
  Sums sums(codes_.view());
  std::vector<std::vector<std::uint32_t>> near;
  near.reserve(queries.rows());
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    sums.compute(tables.row(q).data());
    near.push_back(sums.least(wanted));
  }
  return near;
}

}  // namespace medretrieval::index
