#include <medretrieval/coarse_quantizer.hpp>

#include <algorithm>
#include <cmath>
#include <medretrieval/encoder.hpp>
#include <optional>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "index/centroid_codes.hpp"
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
/// Of the lists: where more than one in so many would be chosen, all are looked at.
constexpr std::size_t kSmallPart = 4;
constexpr std::size_t kFewWanted = 16;  // so few are sorted out of the others by a heap

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
    if (encoder == nullptr) encoder = index::CentroidCodes::train(centroids_, threads);
    codes_.emplace(std::move(encoder), centroids_, threads);
  }

  const Encoder* encoder() const { return codes_ ? &codes_->encoder() : nullptr; }

  std::vector<std::vector<std::uint32_t>> nearest(MatrixView queries, std::size_t count) const {
    const Matrix centred = linalg::centered(queries, mean_);
    const std::size_t chosen = std::max(kLeastChosen, kChosenForOne * count);
    if (!codes_ || chosen > half_norms_.size() / kSmallPart) return of_all(centred, count);
    std::vector<std::vector<std::uint32_t>> nearest;
    nearest.reserve(queries.rows());
    const auto lists = codes_->near(centred, chosen);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      nearest.push_back(lists[q].empty() ? of_all(centred.view().rows_from(q, 1), count).front()
                                         : smallest(scored(centred.row(q), lists[q]), count));
    }
    return nearest;
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

  std::vector<Scored> scored(std::span<const float> query, const std::vector<std::uint32_t>& lists) const {
    std::vector<float> products(lists.size());
    kernels::active().inner_product(query.data(), centroids_.data(), centroids_.cols(), lists.data(),
                                    lists.size(), query.size(), products.data());
    std::vector<Scored> scored;
    scored.reserve(lists.size());
    for (std::size_t i = 0; i < lists.size(); ++i)
      scored.emplace_back(half_norms_[lists[i]] - products[i], lists[i]);
    return scored;
  }

  static std::vector<std::uint32_t> smallest(std::vector<Scored> scored, std::size_t count) {
    count = std::min(count, scored.size());
    const auto middle = scored.begin() + static_cast<std::ptrdiff_t>(count);
    if (count <= kFewWanted) {
      std::partial_sort(scored.begin(), middle, scored.end());
    } else {
      if (middle != scored.end()) std::nth_element(scored.begin(), middle, scored.end());
      std::sort(scored.begin(), middle);
    }
    std::vector<std::uint32_t> lists(count);
    std::transform(scored.begin(), middle, lists.begin(), [](const Scored& each) { return each.second; });
    return lists;
  }

  std::vector<float> mean_;
  Matrix centroids_;
  linalg::PackedMatrix packed_;
  std::vector<float> half_norms_;
  std::optional<index::CentroidCodes> codes_;  // none when all centroids are looked at
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
  const bool fits = encoder == nullptr || index::CentroidCodes::fits(*encoder, dimension);
  if (!fits) reader.corrupt("the encoder of the centroids does not fit them");
  return CoarseQuantizer(MatrixView(values.data(), lists, dimension), encoder, 0);
}

}  // namespace medretrieval
