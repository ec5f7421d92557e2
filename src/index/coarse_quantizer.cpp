#include <medretrieval/coarse_quantizer.hpp>

#include <algorithm>
#include <cmath>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/k_means.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval {

using detail::fail;

namespace {

/// The rows with those numbers.
Matrix chosen_rows(MatrixView features, std::span<const std::size_t> rows) {
  Matrix chosen(rows.size(), features.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = features.row(rows[i]);
    std::copy(row.begin(), row.end(), chosen.row(i).begin());
  }
  return chosen;
}

std::vector<float> half_square_norms(MatrixView rows) {
  std::vector<float> norms;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const float* row = rows.row(r).data();
    float square = 0;
    kernels::active().inner_product(row, row, 0, nullptr, 1, rows.cols(), &square);
    norms.push_back(square / 2);
  }
  return norms;
}

}  // namespace

void ListOptions::validate() const {
  if (lists == 0 || lists > CoarseQuantizer::kMaxLists) {
    fail(ErrorCode::invalid_argument, "lists: expected 1 to ", CoarseQuantizer::kMaxLists, ", got ", lists);
  }
  if (iterations == 0) fail(ErrorCode::invalid_argument, "lists: expected at least 1 iteration, got 0");
  if (rows_per_list == 0) fail(ErrorCode::invalid_argument, "lists: expected at least 1 row a list, got 0");
}

namespace {

constexpr std::size_t kFewLists = 256;  // looked at without groups
constexpr std::size_t kGroupIterations = 8;

/// Centroids whose scores are asked for together.
struct Scored {
  explicit Scored(MatrixView centroids) : packed(centroids), half_norms(half_square_norms(centroids)) {}

  linalg::PackedMatrix packed;
  std::vector<float> half_norms;
};

struct Group {
  std::vector<std::uint32_t> lists;
  Scored centroids;
};

}  // namespace

/// Everything lies around the mean of the centroids, so that products of data far from the origin do not cancel.
struct CoarseQuantizer::Prepared {
  explicit Prepared(MatrixView centroids)
      : mean(linalg::column_means(centroids)), centres(Matrix(1, centroids.cols())) {
    const Matrix around_mean = linalg::centered(centroids, mean);
    std::vector<std::uint32_t> group_of(centroids.rows());
    Matrix middle(1, centroids.cols());
    if (centroids.rows() >= kFewLists) {
      const auto count = static_cast<std::size_t>(std::sqrt(static_cast<double>(centroids.rows())));
      middle = linalg::k_means(around_mean, {.clusters = count, .iterations = kGroupIterations}).centroids;
      linalg::assign_nearest(around_mean, middle, group_of.data(), 0);
    }
    centres = Scored(middle);
    std::vector<std::vector<std::size_t>> members(middle.rows());
    for (std::size_t list = 0; list < group_of.size(); ++list) members[group_of[list]].push_back(list);
    for (const auto& lists : members) {
      groups.push_back({{lists.begin(), lists.end()}, Scored(chosen_rows(around_mean, lists))});
    }
  }

  std::vector<float> mean;
  Scored centres;
  std::vector<Group> groups;
};

CoarseQuantizer::CoarseQuantizer(MatrixView centroids) : centroids_(Matrix::copy_of(centroids)) {
  require_features(centroids, "centroids");
  if (lists() == 0 || lists() > kMaxLists) {
    fail(ErrorCode::invalid_argument, "lists: expected 1 to ", kMaxLists, " centroids, got ", lists());
  }
  prepared_ = std::make_shared<const Prepared>(centroids_);
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
  if (features.rows() / options.lists < options.rows_per_list) {
    return CoarseQuantizer(linalg::k_means(features, k_means).centroids);
  }
  detail::Random random(options.seed);
  const auto rows =
      detail::sample_without_replacement(features.rows(), options.lists * options.rows_per_list, random);
  return CoarseQuantizer(linalg::k_means(chosen_rows(features, rows), k_means).centroids);
}

std::vector<std::uint32_t> CoarseQuantizer::assign(MatrixView features, int threads) const {
  require_features(features, "features", dimension());
  std::vector<std::uint32_t> lists(features.rows());
  linalg::assign_nearest(features, centroids_, lists.data(), threads);
  return lists;
}

Matrix CoarseQuantizer::residuals(MatrixView features, std::span<const std::uint32_t> lists) const {
  Matrix result(features.rows(), features.cols());
  for (std::size_t r = 0; r < features.rows(); ++r) {
    const auto row = features.row(r);
    const auto centroid = centroids_.row(lists[r]);
    const auto out = result.row(r);
    for (std::size_t d = 0; d < row.size(); ++d) out[d] = row[d] - centroid[d];
  }
  return result;
}

std::size_t CoarseQuantizer::groups() const noexcept {
  return prepared_->groups.size();
}

std::span<const std::uint32_t> CoarseQuantizer::lists_of(std::size_t group) const {
  return prepared_->groups[group].lists;
}

Matrix CoarseQuantizer::centred(MatrixView queries) const {
  return linalg::centered(queries, prepared_->mean);
}

Matrix CoarseQuantizer::group_scores(MatrixView centred_queries, int threads) const {
  const Scored& centres = prepared_->centres;
  Matrix scores = linalg::multiply_transposed(centred_queries, centres.packed, threads);
  for (std::size_t q = 0; q < scores.rows(); ++q) {
    const auto row = scores.row(q);
    for (std::size_t g = 0; g < row.size(); ++g) row[g] = centres.half_norms[g] - row[g];
  }
  return scores;
}

void CoarseQuantizer::list_scores(std::span<const float> centred_query, std::size_t group,
                                  std::span<float> out) const {
  const Scored& centroids = prepared_->groups[group].centroids;
  linalg::multiply_transposed(centred_query, centroids.packed, out);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = centroids.half_norms[i] - out[i];
}

void CoarseQuantizer::write(ByteWriter& writer) const {
  writer.number<std::uint64_t>(lists());
  writer.number<std::uint64_t>(dimension());
  writer.array(std::span<const float>(centroids_.data(), lists() * dimension()));
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
  return CoarseQuantizer(MatrixView(values.data(), lists, dimension));
}

}  // namespace medretrieval
