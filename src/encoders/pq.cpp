// Product quantization (Jégou, Douze, Schmid 2011).
#include <medretrieval/encoder.hpp>

#include "encoders/option_values.hpp"
#include "encoders/product_encoder.hpp"
#include "encoders/product_options.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval::encoders {

namespace {

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  const ProductOptions options = product_options("pq", parameters, data.threads);
  detail::Random random(options.seed);
  const linalg::RowSample rows(data.features, options.training_rows, random);
  auto codebook = train_product_codebook(rows.view(), options, data.progress);
  return std::make_shared<ProductEncoder>("pq", parameters, std::move(codebook), std::nullopt);
}

}  // namespace

EncoderType pq_type() {
  return {"pq",
          "product quantization: k-means in each of M subspaces (Jégou et al. 2011)",
          product_option_specs(),
          train,
          [](const Parameters& parameters, ByteReader& reader) {
            return ProductEncoder::load("pq", parameters, reader);
          },
          CodeKind::product};
}

}  // namespace medretrieval::encoders
