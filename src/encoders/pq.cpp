// Product quantization (Jégou, Douze, Schmid 2011).
#include <medretrieval/encoder.hpp>

#include "encoders/option_values.hpp"
#include "encoders/product_encoder.hpp"
#include "encoders/product_options.hpp"

namespace medretrieval::encoders {

namespace {

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  auto codebook =
      train_product_codebook(data.features, product_options("pq", parameters, data.threads), data.progress);
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
