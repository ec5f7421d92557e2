// The distance of paper 000, as a baseline: from the query to an item's centroid, plus from there to the item.
#include <algorithm>
#include <cmath>
#include <medretrieval/encoder.hpp>
#include <vector>

#include "base/concat.hpp"
#include "encoders/codebook_distances.hpp"
#include "encoders/codebook_search.hpp"
#include "encoders/option_values.hpp"
#include "encoders/product_codebook.hpp"
#include "encoders/product_options.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval::encoders {

namespace {

constexpr std::size_t kDistanceBits = 16;
constexpr float kMostSteps = 65535;
constexpr float kMostStep = 4 * kMaxFeatureMagnitude;  // more than twice the longest distance needs

/// Rows of `a` and `b` in turn: Euclidean distances, the same on every instruction set.
std::vector<float> distances(MatrixView a, MatrixView b) {
  std::vector<float> result(a.rows());
  for (std::size_t r = 0; r < a.rows(); ++r) {
    kernels::active().l2_squared(a.row(r).data(), b.row(r).data(), 0, nullptr, 1, a.cols(), &result[r]);
    result[r] = std::sqrt(result[r]);
  }
  return result;
}

/// The first entry of a code is the item's nearest centroid c; the others are the digits of |c - x| in steps, the
/// highest first. So |q - c| + |c - x| is a sum of table entries.
class CentroidDistance final : public Encoder {
 public:
  CentroidDistance(Parameters parameters, ProductCodebook codebook, float step)
      : Encoder("centroid_distance", std::move(parameters), codebook.dimension(),
                CodeLayout::product(1 + kDistanceBits / codebook.layout().bits_per_entry(),
                                    codebook.layout().bits_per_entry())),
        codebook_(std::move(codebook)),
        search_(codebook_),
        distances_(codebook_),
        step_(step) {}

  static std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
    ProductOptions options = centroid_options(parameters, data.threads);
    detail::Random random(options.seed);
    const linalg::RowSample rows(data.features, options.training_rows, random);
    ProductCodebook codebook = train_product_codebook(rows.view(), options, data.progress);
    const auto to_centroids =
        distances(rows.view(), nearest(codebook, CodebookSearch(codebook), rows.view()));
    const float furthest = *std::max_element(to_centroids.begin(), to_centroids.end());
    const float step = furthest > 0 ? 2 * furthest / kMostSteps : 1;  // items may lie further out
    return std::make_shared<CentroidDistance>(parameters, std::move(codebook), step);
  }

  static std::shared_ptr<const Encoder> load(const Parameters& parameters, ByteReader& reader) {
    ProductCodebook codebook = ProductCodebook::read(reader);
    const auto step = reader.number<float>();
    if (codebook.subspaces() != 1 || !(step > 0 && step <= kMostStep)) {
      reader.corrupt(detail::concat("expected centroids of one subspace and a step above 0, got ",
                                    codebook.subspaces(), " and ", step));
    }
    return std::make_shared<CentroidDistance>(parameters, std::move(codebook), step);
  }

  static std::vector<OptionSpec> options() {
    auto specs = product_option_specs();
    std::erase_if(specs, [](const OptionSpec& spec) { return spec.name == "subspaces"; });
    for (auto& spec : specs) {
      if (spec.name == "bits_per_entry") spec.description = "4 (16 centroids) or 8 (256)";
    }
    return specs;
  }

 private:
  static ProductOptions centroid_options(Parameters parameters, int threads) {
    parameters["subspaces"] = std::int64_t{1};
    return product_options("centroid_distance", parameters, threads);
  }

  /// The nearest centroid of every row.
  static Matrix nearest(const ProductCodebook& codebook, const CodebookSearch& search, MatrixView features) {
    Codes codes(codebook.layout(), features.rows());
    search.encode(features, codes, 0);
    return codebook.reconstruct(codes);
  }

  std::size_t entry_bits() const { return layout().bits_per_entry(); }

  void encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const override {
    Codes centroids(codebook_.layout(), features.rows());
    search_.encode(features, centroids, 0);
    const auto lengths = distances(features, codebook_.reconstruct(centroids));
    std::vector<std::uint8_t> packed(layout().row_bytes());
    for (std::size_t r = 0; r < features.rows(); ++r) {
      std::fill(packed.begin(), packed.end(), std::uint8_t{0});
      centroids.get_row(r, packed.data());
      const auto steps = static_cast<unsigned>(std::min(std::round(lengths[r] / step_), kMostSteps));
      for (std::size_t m = 1; m < layout().subspaces(); ++m) {
        const unsigned digit = steps >> (kDistanceBits - m * entry_bits()) & ((1U << entry_bits()) - 1U);
        packed[m * entry_bits() / 8] |= static_cast<std::uint8_t>(digit << m * entry_bits() % 8);
      }
      codes.set_row(first_row + r, packed.data());
    }
  }

  std::unique_ptr<QueryScorer> make_scorer(MatrixView queries) const override {
    const Matrix squares = distances_.tables(queries);
    const std::size_t entries = codebook_.entries();
    Matrix tables(queries.rows(), layout().subspaces() * entries);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const auto table = tables.row(q);
      for (std::size_t c = 0; c < entries; ++c) table[c] = std::sqrt(squares(q, c));
      for (std::size_t m = 1; m < layout().subspaces(); ++m) {
        const auto unit = static_cast<float>(1U << (kDistanceBits - m * entry_bits()));
        for (std::size_t j = 0; j < entries; ++j)
          table[m * entries + j] = static_cast<float>(j) * unit * step_;
      }
    }
    return make_adc_scorer(layout(), std::move(tables));
  }

  Matrix reconstruct_rows(const CodesView& codes) const override {
    Codes centroids(codebook_.layout(), codes.rows());
    std::vector<std::uint8_t> packed(layout().row_bytes());
    const unsigned mask = (1U << entry_bits()) - 1U;
    for (std::size_t r = 0; r < codes.rows(); ++r) {
      codes.get_row(r, packed.data());
      const auto entry = static_cast<std::uint8_t>(packed.front() & mask);
      centroids.set_row(r, &entry);
    }
    return codebook_.reconstruct(centroids);
  }

  void write_state(ByteWriter& writer) const override {
    codebook_.write(writer);
    writer.number(step_);
  }

  ProductCodebook codebook_;
  CodebookSearch search_;
  CodebookDistances distances_;
  float step_;  // of the stored distance
};

}  // namespace

EncoderType centroid_distance_type() {
  return {"centroid_distance",
          "baseline: |q - c| + |c - x| over the nearest centroid c of x (paper 000); blind within a cluster",
          CentroidDistance::options(),
          CentroidDistance::train,
          CentroidDistance::load,
          CodeKind::product};
}

}  // namespace medretrieval::encoders
