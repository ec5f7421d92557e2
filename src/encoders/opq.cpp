// Optimized product quantization (Ge, He, Ke, Sun 2013).
#include <medretrieval/encoder.hpp>

#include "base/concat.hpp"
#include "encoders/opq_rotation.hpp"
#include "encoders/option_values.hpp"
#include "encoders/product_encoder.hpp"
#include "encoders/product_options.hpp"
#include "linalg/orthogonal.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval::encoders {

namespace {

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  const ProductOptions options = product_options("opq", parameters, data.threads);
  std::size_t dimension = whole(parameters, "dimension");
  if (dimension == 0) dimension = data.features.cols();
  if (dimension > data.features.cols()) {
    detail::fail(ErrorCode::invalid_argument,
                 "encoder 'opq': option 'dimension' must be at most the features' ", data.features.cols(),
                 ", got ", dimension);
  }
  detail::Random random(options.seed);
  const linalg::RowSample rows(data.features, options.training_rows, random);
  auto found = train_opq(rows.view(), dimension, whole(parameters, "rotations"), options, data.progress);
  return std::make_shared<ProductEncoder>("opq", parameters, std::move(found.codebook),
                                          std::move(found.rotation));
}

std::vector<OptionSpec> options() {
  auto specs = product_option_specs();
  specs.push_back({"rotations", std::int64_t{20}, 1, 10000, "updates of the rotation"});
  specs.push_back({"dimension", std::int64_t{0}, 0, linalg::kMaxPrincipalDimension,
                   "principal components kept before the rotation; 0: all"});
  return specs;
}

}  // namespace

EncoderType opq_type() {
  return {"opq",
          "optimized product quantization: a learned rotation, then PQ (Ge et al. 2013)",
          options(),
          train,
          [](const Parameters& parameters, ByteReader& reader) {
            return ProductEncoder::load("opq", parameters, reader);
          },
          CodeKind::product};
}

}  // namespace medretrieval::encoders
