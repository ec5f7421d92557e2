#include "index/centroid_codes.hpp"

#include <algorithm>
#include <bit>

#include "kernels/dispatch.hpp"

namespace medretrieval::index {

namespace {

constexpr std::size_t kBlockRows = CodeLayout::kBlockRows;
constexpr std::size_t kEntries = 16;
constexpr std::size_t kMostSubspaces = 32;
constexpr std::uint8_t kMostSum = 254;  // 255 may be more
/// Of the sum of the tables' ranges: what lies beyond is not told apart.
constexpr float kNearShare = 0.5F;

/// The tables in steps so large that a distance in the nearer part of the ranges fits a byte.
std::vector<std::uint8_t> in_bytes(std::span<const float> tables, std::size_t subspaces) {
  const auto& kernel = kernels::active();
  std::vector<float> least(subspaces);
  std::vector<float> largest(subspaces);
  kernel.table_ranges(tables.data(), subspaces, kEntries, least.data(), largest.data());
  double range = 0;
  for (std::size_t m = 0; m < subspaces; ++m) range += double{largest[m]} - double{least[m]};
  const double step = range * double{kNearShare} / kMostSum;
  std::vector<std::uint8_t> entries((subspaces + subspaces % 2) * kEntries);
  kernel.quantize_tables(tables.data(), subspaces, kEntries, least.data(),
                         step > 0 ? static_cast<float>(1 / step) : 0.0F, 255, entries.data());
  return entries;
}

/// The least bound that at least `wanted` sums keep, the rows it keeps in `masks`; fewer when none does.
std::size_t keep_least(std::span<const std::uint8_t> sums, std::size_t wanted,
                       std::span<std::uint64_t> masks) {
  const auto keep = [&](unsigned bound) {
    return kernels::active().sums_up_to(sums.data(), masks.size(), static_cast<std::uint8_t>(bound),
                                        masks.data());
  };
  unsigned low = 0;
  unsigned high = kMostSum;
  while (low < high) {
    const unsigned middle = (low + high) / 2;
    if (keep(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return keep(high);
}

}  // namespace

std::shared_ptr<const Encoder> CentroidCodes::train(MatrixView centroids, int threads) {
  const auto subspaces =
      static_cast<std::int64_t>(std::clamp<std::size_t>(centroids.cols() / 2, 1, kMostSubspaces));
  return train_encoder({"pq", {{"subspaces", subspaces}, {"bits_per_entry", 4}, {"iterations", 8}}},
                       {.features = centroids, .threads = threads});
}

bool CentroidCodes::fits(const Encoder& encoder, std::size_t dimension) {
  return encoder.dimension() == dimension && encoder.layout().kind() == CodeKind::product &&
         encoder.layout().bits_per_entry() == 4 &&
         dynamic_cast<const encoders::ProductEncoder*>(&encoder) != nullptr;
}

CentroidCodes::CentroidCodes(std::shared_ptr<const Encoder> encoder, MatrixView centroids, int threads)
    : encoder_(std::dynamic_pointer_cast<const encoders::ProductEncoder>(std::move(encoder))),
      codes_(encoder_->encode(centroids, threads)) {}

std::vector<std::uint8_t> CentroidCodes::sums(std::span<const float> query) const {
  const std::size_t subspaces = encoder_->layout().subspaces();
  const Matrix tables = encoder_->distance_tables(MatrixView(query));
  const std::size_t blocks = (codes_.rows() + kBlockRows - 1) / kBlockRows;
  std::vector<std::uint8_t> sums(blocks * kBlockRows);
  kernels::active().byte_sums(codes_.view().blocks(), blocks, in_bytes(tables.row(0), subspaces).data(),
                              subspaces, sums.data());
  std::fill(sums.begin() + static_cast<std::ptrdiff_t>(codes_.rows()), sums.end(), std::uint8_t{255});
  return sums;
}

std::vector<std::uint32_t> CentroidCodes::near(std::span<const float> query, std::size_t wanted) const {
  const auto sums = this->sums(query);
  std::vector<std::uint64_t> masks(sums.size() / kBlockRows);
  std::vector<std::uint32_t> rows;
  const std::size_t kept = keep_least(sums, wanted, masks);
  if (kept < wanted) return rows;
  rows.reserve(kept);
  for (std::size_t b = 0; b < masks.size(); ++b) {
    for (std::uint64_t bits = masks[b]; bits != 0; bits &= bits - 1) {
      rows.push_back(static_cast<std::uint32_t>(b * kBlockRows + std::countr_zero(bits)));
    }
  }
  return rows;
}

}  // namespace medretrieval::index
