// What a DeepModel gives is what its network gives, whatever order its weights lie in for speed.
#include <gmock/gmock.h>

#include <cmath>
#include <medretrieval/torch/deep_model.hpp>
#include <numeric>
#include <span>

#include "forged_network_file.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/image_tensor.hpp"
#include "torch/tensor_file.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::int64_t kSide = 64;
constexpr std::int64_t kRows = 3;

struct Made {
  std::shared_ptr<Network> plain;
  DeepModel model;  ///< of a network with the same weights
};

Made make(const std::string& name) {
  const Parameters options =
      complete_parameters(testing::needed_options(name), network_type(name).options, name);
  const NetworkDescription description = {name, options, kSide, 16, {"disc", "bar"}};
  const auto seeded = [&] { return testing::make_seeded(name, {kSide, 16, 2}, options); };
  return {seeded(), DeepModelBuilder::from_network(description, seeded(), nullptr)};
}

class DeepModels : public ::testing::TestWithParam<std::string> {};

TEST_P(DeepModels, AnswerAsTheirNetwork) {
  const auto [plain, model] = make(GetParam());
  plain->eval();
  const ::torch::NoGradGuard no_gradient;
  const Tensor images = testing::smooth_images(kRows, kSide);
  const NetworkOutput expected = plain->forward(images);
  std::vector<imaging::Image> drawn;
  for (std::int64_t row = 0; row < kRows; ++row) drawn.push_back(to_image(images[row][0]));
  const Analysis analysis =
      model.analyse(drawn, {.attention = model.has_attention(), .batch = 2, .threads = 1});
  const auto as_tensor = [](const Matrix& matrix) {
    return ::torch::from_blob(const_cast<float*>(matrix.data()), {static_cast<std::int64_t>(matrix.rows()),
                                                                  static_cast<std::int64_t>(matrix.cols())});
  };
  const double scale = expected.features.abs().max().item<double>();
  EXPECT_TRUE(::torch::allclose(as_tensor(analysis.features), expected.features, 1e-4, 1e-5 * scale));
  EXPECT_TRUE(
      ::torch::allclose(as_tensor(analysis.posteriors), ::torch::softmax(expected.logits, 1), 1e-4, 1e-5));
  ASSERT_EQ(model.has_attention(), expected.attention.defined());
  if (!model.has_attention()) return;
  ASSERT_EQ(analysis.attention.size(), static_cast<std::size_t>(kRows));
  for (std::int64_t row = 0; row < kRows; ++row) {
    const auto shown = analysis.attention[static_cast<std::size_t>(row)].pixels();
    const auto wanted = map_image(expected.attention[row]);
    ASSERT_EQ(shown.size(), wanted.pixels().size());
    for (std::size_t i = 0; i < shown.size(); ++i) EXPECT_NEAR(shown[i], wanted.pixels()[i], 1e-2);
  }
}

TEST_P(DeepModels, GiveEveryImageItsOwnAnswerOverThreads) {
  constexpr std::int64_t kImages = 21;  // no multiple of anything
  const DeepModel model = make(GetParam()).model;
  const Tensor drawn = testing::smooth_images(kImages, kSide);
  std::vector<imaging::Image> images;
  for (std::int64_t row = 0; row < kImages; ++row) images.push_back(to_image(drawn[row][0]));
  const auto run = [&](std::size_t batch, int threads) {
    return model.analyse(images, {.attention = model.has_attention(), .batch = batch, .threads = threads});
  };
  const Analysis alone = run(1, 1);
  const std::span<const float> values(alone.features.data(), alone.features.rows() * alone.features.cols());
  const double squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  const float rounding = static_cast<float>(1e-4 * std::sqrt(squares / static_cast<double>(values.size())));
  for (const auto& analysis : {run(8, 1), run(32, 2), run(4, 3)}) {
    ASSERT_EQ(analysis.attention.size(), alone.attention.size());
    for (std::size_t row = 0; row < images.size(); ++row) {
      EXPECT_THAT(analysis.features.row(row),
                  ::testing::Pointwise(::testing::FloatNear(rounding), alone.features.row(row)));
      EXPECT_THAT(analysis.posteriors.row(row),
                  ::testing::Pointwise(::testing::FloatNear(1e-4F), alone.posteriors.row(row)));
      if (model.has_attention()) {
        EXPECT_THAT(analysis.attention[row].pixels(),
                    ::testing::Pointwise(::testing::FloatNear(2e-2F), alone.attention[row].pixels()));
      }
    }
  }
  images[9] = {};
  EXPECT_ERROR(run(4, 3), invalid_argument, "empty");
}

TEST_P(DeepModels, ServeTheThresholdOfTheirHashLayer) {
  const auto [plain, model] = make(GetParam());
  const ::torch::NoGradGuard no_gradient;
  std::vector<imaging::Image> images;
  const Tensor drawn = testing::smooth_images(kRows, kSide);
  for (std::int64_t row = 0; row < kRows; ++row) images.push_back(to_image(drawn[row][0]));
  const Matrix features = model.analyse(images, {.threads = 1}).features;
  const Codes codes = model.encoder()->encode(features);
  const auto places = model.encoder()->bit_places();
  std::vector<std::uint8_t> code(codes.layout().row_bytes());
  std::size_t undecided = 0;  // whose output lies within the rounding of the threshold
  for (std::size_t row = 0; row < features.rows(); ++row) {
    codes.get_row(row, code.data());
    std::size_t bit = 0;
    for (const auto& slice : plain->hash_slices()) {
      const auto columns = slice.layer->options.in_features();
      const Tensor part =
          ::torch::from_blob(const_cast<float*>(features.row(row).data()) + slice.first_column, {columns})
              .to(::torch::kFloat64);
      const Tensor hash = slice.layer->weight.to(::torch::kFloat64).mv(part) + slice.layer->bias;
      const double rounding = 1e-5 * hash.abs().max().item<double>();
      for (std::int64_t i = 0; i < hash.size(0); ++i, ++bit) {
        const auto place = places.at(bit);
        const double value = hash[i].item<double>();
        undecided += std::abs(value) <= rounding ? 1 : 0;
        if (std::abs(value) > rounding) {
          EXPECT_EQ((code[place / 8] >> (place % 8) & 1) == 1, value > 0) << bit;
        }
      }
    }
    EXPECT_EQ(bit, places.size());
  }
  EXPECT_LE(undecided, 1U);
}

TEST_P(DeepModels, StoreTheirNetworksWeights) {
  const testing::TemporaryFolder folder;
  const auto [plain, model] = make(GetParam());
  model.save(folder / "model");
  const TensorBytes bytes = to_bytes(tensors_of(*plain));
  const auto stored = testing::section_text(folder / "model", detail::NetworkSection::tensor_data);
  EXPECT_EQ(stored, std::string(reinterpret_cast<const char*>(bytes.data.data()), bytes.data.size()));
  DeepModel::load(folder / "model").save(folder / "again");
  EXPECT_EQ(DeepModel::load(folder / "again").fingerprint(), model.fingerprint());
}

INSTANTIATE_TEST_SUITE_P(All, DeepModels,
                         ::testing::Values("attention-cnn-bilstm", "semantic-attention", "fcdn",
                                           "spatial-attention-resnet18", "resnet18", "resnet50", "scripted"),
                         [](const auto& each) { return testing::plain_name(each.param); });

}  // namespace
}  // namespace medretrieval::deep
