#include "encoders/product_codebook.hpp"

#include <algorithm>
#include <cmath>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/progress_counter.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/k_means.hpp"

namespace medretrieval::encoders {

ProductCodebook::ProductCodebook(std::size_t dimension, std::size_t subspaces, std::size_t bits_per_entry)
    : entries_(std::size_t{1} << bits_per_entry) {
  if (subspaces == 0 || subspaces > dimension) {
    detail::fail(ErrorCode::invalid_argument, "product quantization: expected 1 to ", dimension,
                 " subspaces for that many dimensions, got ", subspaces);
  }
  for (std::size_t m = 0, start = 0; m < subspaces; ++m) {
    const std::size_t width = dimension / subspaces + (m < dimension % subspaces ? 1 : 0);
    starts_.push_back(start);
    start += width;
    centroids_.emplace_back(entries_, width);
  }
  starts_.push_back(dimension);
}

Matrix ProductCodebook::reconstruct(const CodesView& codes) const {
  Matrix result(codes.rows(), dimension());
  std::vector<std::uint8_t> packed(codes.layout().row_bytes());
  for (std::size_t r = 0; r < codes.rows(); ++r) {
    codes.get_row(r, packed.data());
    for (std::size_t m = 0; m < subspaces(); ++m) {
      const std::size_t entry = entries_ == 256 ? packed[m] : packed[m / 2] >> (m % 2 * 4) & 15;
      const auto centroid = centroids_[m].row(entry);
      std::copy(centroid.begin(), centroid.end(),
                result.row(r).begin() + static_cast<std::ptrdiff_t>(starts_[m]));
    }
  }
  return result;
}

void ProductCodebook::write(ByteWriter& writer) const {
  writer.number<std::uint64_t>(dimension());
  writer.number<std::uint64_t>(subspaces());
  writer.number<std::uint64_t>(entries_);
  for (const auto& centroids : centroids_) {
    writer.array(std::span<const float>(centroids.data(), centroids.rows() * centroids.cols()));
  }
}

ProductCodebook ProductCodebook::read(ByteReader& reader) {
  const auto dimension = reader.number<std::uint64_t>();
  const auto subspaces = reader.number<std::uint64_t>();
  const auto entries = reader.number<std::uint64_t>();
  if (dimension == 0 || dimension > kMaxDimension || subspaces == 0 || subspaces > dimension ||
      subspaces > CodeLayout::kMaxSubspaces || (entries != 16 && entries != 256) ||
      reader.left() / sizeof(float) < dimension * entries) {
    reader.corrupt(detail::concat("a codebook of ", subspaces, " subspaces with ", entries,
                                  " centroids over ", dimension, " dimensions does not fit the ",
                                  reader.left(), " bytes left"));
  }
  ProductCodebook codebook(dimension, subspaces, entries == 16 ? 4 : 8);
  for (auto& centroids : codebook.centroids_) {
    const auto values = reader.array<float>();
    if (values.size() != centroids.rows() * centroids.cols()) {
      reader.corrupt(detail::concat("expected ", centroids.rows() * centroids.cols(),
                                    " centroid values, got ", values.size()));
    }
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
      reader.corrupt("a centroid is not finite");
    }
    std::copy(values.begin(), values.end(), centroids.data());
  }
  return codebook;
}

void for_each_subspace(const ProductCodebook& codebook, int threads,
                       const std::function<void(std::size_t)>& body) {
  const auto enough = static_cast<std::size_t>(detail::resolve_threads(threads));
  detail::parallel_for(codebook.subspaces(), codebook.subspaces() >= enough ? threads : 1, body);
}

ProductCodebook train_product_codebook(MatrixView features, const ProductOptions& options,
                                       const Progress& progress) {
  ProductCodebook codebook(features.cols(), options.subspaces, options.bits_per_entry);
  if (features.rows() < codebook.entries()) {
    detail::fail(ErrorCode::invalid_argument, "product quantization: ", codebook.entries(),
                 " centroids a subspace need at least that many training rows, got ", features.rows());
  }
  detail::ProgressCounter counter(progress, "train product quantizer", options.subspaces);
  for_each_subspace(codebook, options.threads, [&](std::size_t m) {
    codebook.centroids(m) = linalg::k_means(codebook.slice(features, m), {.clusters = codebook.entries(),
                                                                          .iterations = options.iterations,
                                                                          .seed = options.seed + m,
                                                                          .threads = options.threads})
                                .centroids;
    counter.add(1);
  });
  return codebook;
}

}  // namespace medretrieval::encoders
