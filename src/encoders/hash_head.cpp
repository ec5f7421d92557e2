// The last layer of a deep hashing network, served without the network's framework.
#include <algorithm>
#include <cmath>
#include <medretrieval/encoder.hpp>
#include <medretrieval/vector_files.hpp>

#include "base/concat.hpp"
#include "encoders/affine_hash.hpp"
#include "encoders/option_values.hpp"

namespace medretrieval {

// sigmoid(z) > 0.5 exactly when z > 0, so the head is an affine hash and no exponential decides a bit.
std::shared_ptr<const Encoder> make_hash_head(MatrixView weights, std::span<const float> bias) {
  require_features(weights, "hash head weights");
  if (bias.size() != weights.rows()) {
    detail::fail(ErrorCode::invalid_argument, "hash head: expected a bias for each of the ", weights.rows(),
                 " rows of weights, got ", bias.size());
  }
  if (!bias.empty()) require_features(MatrixView(bias), "hash head bias");
  return std::make_shared<encoders::AffineHash>("hash_head", Parameters{}, Matrix::copy_of(weights),
                                                std::vector<float>(bias.begin(), bias.end()));
}

namespace encoders {

namespace {

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  if (text(parameters, "weights").empty() || text(parameters, "bias").empty()) {
    detail::fail(ErrorCode::invalid_argument,
                 "encoder 'hash_head': expected the options weights and bias, two npy files");
  }
  const Matrix weights = read_npy(text(parameters, "weights"));
  const Matrix bias = read_npy(text(parameters, "bias"));
  if (weights.cols() != data.features.cols()) {
    detail::fail(ErrorCode::invalid_argument, "hash head: expected weights of ", data.features.cols(),
                 " columns for these features, got ", weights.cols());
  }
  return make_hash_head(weights, {bias.data(), bias.rows() * bias.cols()});
}

}  // namespace

EncoderType hash_head_type() {
  return {"hash_head",
          "hash layer of a trained network: sigmoid(W f + b) > 0.5 (Hao et al. 2022)",
          {{"weights", std::string(), 0, 0, "npy file of W, bits x dimension"},
           {"bias", std::string(), 0, 0, "npy file of b, one value a bit"}},
          train,
          [](const Parameters& parameters, ByteReader& reader) {
            return AffineHash::load("hash_head", parameters, reader);
          }};
}

}  // namespace encoders
}  // namespace medretrieval
