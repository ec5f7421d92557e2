// Random-hyperplane locality-sensitive hashing (Charikar 2002).
#include <medretrieval/encoder.hpp>

#include "base/random.hpp"
#include "encoders/affine_hash.hpp"
#include "encoders/option_values.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::encoders {

namespace {

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  const std::size_t bits = whole(parameters, "bits");
  detail::Random random(whole(parameters, "seed"));
  Matrix weights(bits, data.features.cols());
  for (std::size_t i = 0; i < bits; ++i) {
    for (float& weight : weights.row(i)) weight = static_cast<float>(random.normal());
  }
  std::vector<float> offsets(bits);
  if (truth(parameters, "center") && data.features.rows() > 0) {
    offsets = offsets_for_mean(weights, linalg::column_means(data.features));
  }
  return std::make_shared<AffineHash>("lsh", parameters, std::move(weights), std::move(offsets));
}

}  // namespace

EncoderType lsh_type() {
  return {
      "lsh",
      "random-hyperplane hashing: the signs of Gaussian projections (Charikar 2002)",
      {{"bits", std::int64_t{64}, 1, CodeLayout::kMaxBits, "code width"},
       {"seed", std::int64_t{1}, 0, kMaxSeed, "of the hyperplanes"},
       {"center", true, 0, 0,
        "subtract the training mean first; features are rarely centred, and planes through a distant origin "
        "separate nothing"}},
      train,
      [](const Parameters& parameters, ByteReader& reader) {
        return AffineHash::load("lsh", parameters, reader);
      }};
}

}  // namespace medretrieval::encoders
