#include "explanation.hpp"

#include <algorithm>
#include <cstdio>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/nodule_region.hpp>

namespace medretrieval::cli {

namespace {

constexpr std::size_t kCellSide = 192;
constexpr std::size_t kColumns = 4;  // two images, each with its map

std::string name_of(std::size_t rank, const Hit& hit, const std::string& bits) {
  char text[96];
  std::snprintf(text, sizeof text, "%zu: %zu of %zu bits, %.4g", rank,
                static_cast<std::size_t>(std::count(bits.begin(), bits.end(), '1')), bits.size(),
                static_cast<double>(hit.distance));
  return text;
}

}  // namespace

std::string agreeing_bits(const Model& model, std::span<const float> a, std::span<const float> b) {
  const Encoder* encoder = model.encoder();
  if (encoder == nullptr || encoder->layout().kind() != CodeKind::binary) {
    throw Error(ErrorCode::unsupported, "only binary codes have bits that agree or not");
  }
  const Codes codes_a = encoder->encode(MatrixView(a), 1);
  const Codes codes_b = encoder->encode(MatrixView(b), 1);
  std::vector<std::uint8_t> row_a(encoder->layout().row_bytes());
  std::vector<std::uint8_t> row_b(encoder->layout().row_bytes());
  codes_a.get_row(0, row_a.data());
  codes_b.get_row(0, row_b.data());
  std::string bits;
  for (const auto bit : encoder->bit_places()) {
    bits += ((row_a[bit / 8] ^ row_b[bit / 8]) >> (bit % 8) & 1) == 0 ? '1' : '0';
  }
  return bits;
}

void write_explanation(const std::filesystem::path& file, const Snapshot& snapshot, const FeatureMaker& maker,
                       const imaging::Image& query, std::span<const float> query_features,
                       const SearchResult& result, int threads) {
  imaging::Explanation steps = {{"query", query}, {"query: attention", maker.attention_of(query, threads)}};
  for (std::size_t i = 0; i < result.hits.size(); ++i) {
    const Hit& hit = result.hits[i];
    const auto image = imaging::load_image(snapshot.item(hit.id).source);
    const auto features = snapshot.features(hit.id);
    const std::string bits = agreeing_bits(snapshot.model(), query_features, features);
    steps.push_back({name_of(i + 1, hit, bits), image});
    steps.push_back({std::to_string(i + 1) + ": attention", maker.attention_of(image, threads)});
  }
  imaging::write_png(imaging::contact_sheet(steps, kCellSide, kColumns), file);
}

}  // namespace medretrieval::cli
