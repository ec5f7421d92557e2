#include <medretrieval/coarse_quantizer.hpp>

#include <algorithm>
#include <cmath>
#include <medretrieval/index.hpp>
#include <numeric>
#include <optional>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/k_means.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/nearest_centroids.hpp"
#include "linalg/orthogonal.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval {

using detail::fail;

void ListOptions::validate() const {
  if (lists == 0 || lists > CoarseQuantizer::kMaxLists) {
    fail(ErrorCode::invalid_argument, "lists: expected 1 to ", CoarseQuantizer::kMaxLists, ", got ", lists);
  }
  if (iterations == 0) fail(ErrorCode::invalid_argument, "lists: expected at least 1 iteration, got 0");
  if (rows_per_list == 0) fail(ErrorCode::invalid_argument, "lists: expected at least 1 row a list, got 0");
}

namespace {

constexpr std::size_t kFewLists = 512;    // all of them are looked at
constexpr std::size_t kLeastChosen = 32;  // by their codes
constexpr std::size_t kChosenForOne = 8;
constexpr std::size_t kMostSubspaces = 32;

/// Codes of the centroids, for each 4-bit entry two dimensions or more.
EncoderOptions centroid_codes(std::size_t dimension) {
  const auto subspaces = static_cast<std::int64_t>(std::clamp<std::size_t>(dimension / 2, 1, kMostSubspaces));
  return {"pq", {{"subspaces", subspaces}, {"bits_per_entry", 4}, {"iterations", 8}}};
}

using Scored = std::pair<float, std::uint32_t>;

}  // namespace

/// Centroids around their mean, so that products of data far from the origin do not cancel.
class CoarseQuantizer::Prepared {
 public:
  /// \param encoder of the centroids; null: one is trained where it is needed
  Prepared(MatrixView centroids, std::shared_ptr<const Encoder> encoder, int threads)
      : mean_(linalg::column_means(centroids)),
        centroids_(linalg::centered(centroids, mean_)),
        packed_(centroids_),
        half_norms_(linalg::half_square_norms(centroids_)) {
    if (centroids.rows() < kFewLists) return;
    encoder_ = std::move(encoder);
    if (encoder_ == nullptr) {
      encoder_ =
          train_encoder(centroid_codes(centroids.cols()), {.features = centroids_, .threads = threads});
    }
    codes_ = encoder_->encode(centroids_, threads);
    numbers_.resize(centroids.rows());
    std::iota(numbers_.begin(), numbers_.end(), ItemId{0});
  }

  const Encoder* encoder() const { return encoder_.get(); }

  std::vector<std::vector<std::uint32_t>> nearest(MatrixView queries, std::size_t count) const {
    const Matrix centred = linalg::centered(queries, mean_);
    const std::size_t chosen = std::max(kLeastChosen, kChosenForOne * count);
    return encoder_ == nullptr || chosen >= half_norms_.size() ? of_all(centred, count)
                                                               : of_chosen(centred, count, chosen);
  }

 private:
  std::vector<std::vector<std::uint32_t>> of_all(MatrixView queries, std::size_t count) const {
    const Matrix products = linalg::multiply_transposed(queries, packed_, 1);
    std::vector<std::vector<std::uint32_t>> nearest;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      std::vector<Scored> scored;
      for (std::uint32_t list = 0; list < half_norms_.size(); ++list) {
        scored.emplace_back(half_norms_[list] - products(q, list), list);
      }
      nearest.push_back(smallest(std::move(scored), count));
    }
    return nearest;
  }

  std::vector<std::vector<std::uint32_t>> of_chosen(MatrixView queries, std::size_t count,
                                                    std::size_t chosen) const {
    const ScanPart all = {
        .codes = *codes_, .features = {}, .ids = numbers_, .end = static_cast<std::uint32_t>(codes_->rows())};
    const auto scorer = encoder_->scorer(queries);
    std::vector<IndexQuery> asked;
    for (std::size_t q = 0; q < queries.rows(); ++q) asked.push_back({q, {&all, 1}, {.count = chosen}});
    const auto pools = make_flat_search(*scorer)->find_group(asked);
    std::vector<std::vector<std::uint32_t>> nearest;
    for (std::size_t q = 0; q < queries.rows(); ++q)
      nearest.push_back(smallest(scored(queries.row(q), pools[q]), count));
    return nearest;
  }

  std::vector<Scored> scored(std::span<const float> query, const std::vector<Candidate>& pool) const {
    std::vector<std::uint32_t> lists;
    for (const auto& candidate : pool) lists.push_back(candidate.row);
    std::vector<float> products(lists.size());
    kernels::active().inner_product(query.data(), centroids_.data(), centroids_.cols(), lists.data(),
                                    lists.size(), query.size(), products.data());
    std::vector<Scored> scored;
    for (std::size_t i = 0; i < lists.size(); ++i)
      scored.emplace_back(half_norms_[lists[i]] - products[i], lists[i]);
    return scored;
  }

  static std::vector<std::uint32_t> smallest(std::vector<Scored> scored, std::size_t count) {
    if (count < scored.size()) {
      std::nth_element(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count), scored.end());
      scored.resize(count);
    }
    std::sort(scored.begin(), scored.end());
    std::vector<std::uint32_t> lists;
    for (const auto& [score, list] : scored) lists.push_back(list);
    return lists;
  }

  std::vector<float> mean_;
  Matrix centroids_;
  linalg::PackedMatrix packed_;
  std::vector<float> half_norms_;
  std::shared_ptr<const Encoder> encoder_;  // of the centroids; null when all of them are looked at
  std::optional<Codes> codes_;
  std::vector<ItemId> numbers_;
};

CoarseQuantizer::CoarseQuantizer(MatrixView centroids, int threads)
    : CoarseQuantizer(centroids, nullptr, threads) {}

CoarseQuantizer::CoarseQuantizer(MatrixView centroids, std::shared_ptr<const Encoder> encoder, int threads) {
  require_features(centroids, "centroids");
  if (centroids.rows() == 0 || centroids.rows() > kMaxLists) {
    fail(ErrorCode::invalid_argument, "lists: expected 1 to ", kMaxLists, " centroids, got ",
         centroids.rows());
  }
  centroids_ = Matrix::copy_of(centroids);
  prepared_ = std::make_shared<const Prepared>(centroids_, std::move(encoder), threads);
}

CoarseQuantizer CoarseQuantizer::train(MatrixView features, const ListOptions& options, int threads) {
  options.validate();
  require_features(features, "training features");
  if (features.rows() < options.lists) {
    fail(ErrorCode::invalid_argument, "lists: ", options.lists,
         " lists need at least that many training rows, got ", features.rows());
  }
  const linalg::KMeansOptions k_means = {
      .clusters = options.lists, .iterations = options.iterations, .seed = options.seed, .threads = threads};
  detail::Random random(options.seed);
  const bool few = features.rows() / options.lists < options.rows_per_list;
  const linalg::RowSample rows(features, few ? 0 : options.lists * options.rows_per_list, random);
  return CoarseQuantizer(linalg::k_means(rows.view(), k_means).centroids, threads);
}

std::vector<std::uint32_t> CoarseQuantizer::assign(MatrixView features, int threads) const {
  require_features(features, "features", dimension());
  std::vector<std::uint32_t> lists(features.rows());
  linalg::assign_nearest(features, centroids_, lists.data(), threads);
  return lists;
}

Matrix CoarseQuantizer::residuals(MatrixView features, std::span<const std::uint32_t> lists) const {
  const bool fits =
      features.cols() == dimension() && lists.size() == features.rows() &&
      std::all_of(lists.begin(), lists.end(), [&](std::uint32_t list) { return list < this->lists(); });
  if (!fits) {
    fail(ErrorCode::invalid_argument, "lists: expected rows of ", dimension(), " values with a list below ",
         this->lists(), " each, got ", features.rows(), " of ", features.cols(), " with ", lists.size(),
         " lists");
  }
  Matrix result(features.rows(), features.cols());
  for (std::size_t r = 0; r < features.rows(); ++r) {
    const auto row = features.row(r);
    const auto centroid = centroids_.row(lists[r]);
    const auto out = result.row(r);
    for (std::size_t d = 0; d < row.size(); ++d) out[d] = row[d] - centroid[d];
  }
  return result;
}

std::vector<std::vector<std::uint32_t>> CoarseQuantizer::nearest(MatrixView queries,
                                                                 std::size_t count) const {
  require_features(queries, "queries", dimension());
  return prepared_->nearest(queries, std::min(count, lists()));
}

void CoarseQuantizer::write(ByteWriter& writer) const {
  writer.number<std::uint64_t>(lists());
  writer.number<std::uint64_t>(dimension());
  writer.array(std::span<const float>(centroids_.data(), lists() * dimension()));
  const Encoder* encoder = prepared_->encoder();
  writer.bytes(encoder != nullptr ? encoder->to_bytes() : std::vector<std::byte>());
}

CoarseQuantizer CoarseQuantizer::read(ByteReader& reader) {
  const auto lists = reader.number<std::uint64_t>();
  const auto dimension = reader.number<std::uint64_t>();
  const auto values = reader.array<float>();
  if (lists == 0 || lists > kMaxLists || dimension == 0 || dimension > kMaxDimension ||
      values.size() != lists * dimension ||
      !std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    reader.corrupt(detail::concat("centroids of ", lists, " lists over ", dimension,
                                  " dimensions do not fit ", values.size(), " finite values"));
  }
  const auto encoder_bytes = reader.bytes();
  if (encoder_bytes.empty() != (lists < kFewLists))
    reader.corrupt("the codes of the centroids are missing, or not needed");
  const auto encoder = encoder_bytes.empty() ? nullptr : load_encoder(encoder_bytes);
  const bool fits = encoder == nullptr ||
                    (encoder->dimension() == dimension && encoder->layout().kind() == CodeKind::product);
  if (!fits) reader.corrupt("the encoder of the centroids does not fit them");
  return CoarseQuantizer(MatrixView(values.data(), lists, dimension), encoder, 0);
}

}  // namespace medretrieval
