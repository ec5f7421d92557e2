// What a DeepModel gives is what its network gives, whatever order its weights lie in for speed.
#include <medretrieval/torch/deep_model.hpp>

#include "forged_network_file.hpp"
#include "network_testing.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/image_tensor.hpp"
#include "torch/tensor_file.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::int64_t kSide = 64;
constexpr std::int64_t kRows = 3;

class DeepModels : public ::testing::TestWithParam<std::string> {};

TEST_P(DeepModels, AnswerAsTheirNetwork) {
  const Parameters options =
      complete_parameters(testing::needed_options(GetParam()), network_type(GetParam()).options, GetParam());
  const NetworkDescription description = {GetParam(), options, kSide, 16, {"disc", "bar"}};
  const auto plain = testing::make_seeded(GetParam(), {kSide, 16, 2}, options);
  const DeepModel model = DeepModelBuilder::from_network(
      description, testing::make_seeded(GetParam(), {kSide, 16, 2}, options), nullptr);
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

TEST_P(DeepModels, StoreTheirNetworksWeights) {
  const testing::TemporaryFolder folder;
  const Parameters options =
      complete_parameters(testing::needed_options(GetParam()), network_type(GetParam()).options, GetParam());
  const NetworkDescription description = {GetParam(), options, kSide, 16, {"disc", "bar"}};
  const auto plain = testing::make_seeded(GetParam(), {kSide, 16, 2}, options);
  const DeepModel model = DeepModelBuilder::from_network(
      description, testing::make_seeded(GetParam(), {kSide, 16, 2}, options), nullptr);
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
