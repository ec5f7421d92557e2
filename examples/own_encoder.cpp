// An encoder of the application's own: registered once, it trains, saves, loads and searches like the
// built-in ones. This one sets bit i when feature i lies above its training mean.
#include <iostream>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>

namespace mr = medretrieval;

class AboveMean final : public mr::Encoder {
 public:
  AboveMean(const mr::Parameters& parameters, std::vector<float> thresholds)
      : Encoder("above_mean", parameters, thresholds.size(), mr::CodeLayout::binary(thresholds.size())),
        thresholds_(std::move(thresholds)) {}

 private:
  void encode_rows(mr::MatrixView features, mr::Codes& codes, std::size_t first_row) const override {
    for (std::size_t r = 0; r < features.rows(); ++r) {
      std::vector<std::uint8_t> packed(layout().row_bytes());
      for (std::size_t i = 0; i < thresholds_.size(); ++i) {
        if (features.row(r)[i] > thresholds_[i]) packed[i / 8] |= static_cast<std::uint8_t>(1U << i % 8);
      }
      codes.set_row(first_row + r, packed.data());
    }
  }
  std::unique_ptr<mr::QueryScorer> make_scorer(mr::MatrixView queries) const override {
    return mr::make_hamming_scorer(encode(queries, 1));
  }
  void write_state(mr::ByteWriter& writer) const override {
    writer.array(std::span<const float>(thresholds_));
  }

  std::vector<float> thresholds_;
};

mr::EncoderType above_mean_type() {
  return {"above_mean",
          "bit i: feature i lies above its mean plus a margin",
          {{"margin", 0.0, -1e6, 1e6, "added to every mean"}},
          [](const mr::Parameters& parameters, const mr::TrainingSet& data) {
            std::vector<float> thresholds(data.features.cols(),
                                          static_cast<float>(std::get<double>(parameters.at("margin"))));
            for (std::size_t r = 0; r < data.features.rows(); ++r) {
              for (std::size_t i = 0; i < thresholds.size(); ++i) {
                thresholds[i] += data.features.row(r)[i] / static_cast<float>(data.features.rows());
              }
            }
            return std::make_shared<AboveMean>(parameters, std::move(thresholds));
          },
          [](const mr::Parameters& parameters, mr::ByteReader& reader) {
            return std::make_shared<AboveMean>(parameters, reader.array<float>());
          }};
}

int main() {
  mr::register_encoder_type(above_mean_type());
  mr::Matrix features(100, 48);
  for (std::size_t r = 0; r < 100; ++r) {
    for (std::size_t d = 0; d < 48; ++d) features(r, d) = static_cast<float>((r * 37 + d * d * 11) % 101);
  }
  const mr::Model model =
      mr::train_model({.encoder = mr::EncoderOptions{"above_mean", {{"margin", 2}}}}, {features});
  const mr::Model loaded = mr::Model::from_bytes(model.to_bytes());  // as a gallery on disk would
  mr::Gallery gallery(loaded);
  gallery.add(features);
  const auto answer = mr::Searcher(gallery.commit()).search(features.row(5), {.k = 3});
  for (const auto& hit : answer.hits)
    std::cout << "item " << hit.id << "  Hamming " << hit.code_distance << '\n';
  return loaded.fingerprint() == model.fingerprint() && answer.hits[0].id == 5 ? 0 : 1;
}
