// Joint distance over slices of a concatenated feature (Qin et al. 2019, equation 22): the weighted sum of
// the slices' Hamming distances. Each slice's code starts at a new 64-bit word, so that a weight belongs to
// whole words.
#include <algorithm>
#include <charconv>
#include <medretrieval/encoder.hpp>

#include "base/concat.hpp"
#include "encoders/option_values.hpp"
#include "encoders/stored_type.hpp"

namespace medretrieval {

namespace encoders {

namespace {

using detail::fail;

constexpr std::uint64_t kMaxDistance = std::uint64_t{1} << 24;  // exact in float32
constexpr std::uint32_t kMaxWeight = 65535;

std::size_t words_of(const JointSlice& slice) {
  return slice.encoder->layout().words();
}

void check_slices(const std::vector<JointSlice>& slices) {
  if (slices.empty())
    fail(ErrorCode::invalid_argument, "joint encoder: expected at least one slice, got none");
  std::uint64_t furthest = 0;
  for (const auto& slice : slices) {
    if (slice.encoder == nullptr || slice.encoder->layout().kind() != CodeKind::binary ||
        slice.encoder->type() == "joint") {
      fail(ErrorCode::invalid_argument,
           "joint encoder: expected a plain binary encoder for every slice, got ",
           slice.encoder == nullptr ? "none"
                                    : slice.encoder->type() + " with " + slice.encoder->layout().to_string());
    }
    if (slice.weight == 0 || slice.weight > kMaxWeight) {
      fail(ErrorCode::invalid_argument, "joint encoder: expected weights of 1 to ", kMaxWeight, ", got ",
           slice.weight);
    }
    if (slice.first_column > kMaxDimension) {
      fail(ErrorCode::invalid_argument, "joint encoder: expected columns below ", kMaxDimension, ", got ",
           slice.first_column);
    }
    furthest += std::uint64_t{slice.weight} * 64 * words_of(slice);
  }
  if (furthest >= kMaxDistance) {
    fail(ErrorCode::invalid_argument, "joint encoder: the largest distance must stay below ", kMaxDistance,
         ", got ", furthest);
  }
}

std::size_t joint_dimension(const std::vector<JointSlice>& slices) {
  std::size_t end = 0;
  for (const auto& slice : slices) end = std::max(end, slice.first_column + slice.encoder->dimension());
  return end;
}

CodeLayout joint_layout(const std::vector<JointSlice>& slices) {
  std::size_t words = 0;
  for (const auto& slice : slices) words += words_of(slice);
  return CodeLayout::binary(words * 64);
}

class JointEncoder final : public Encoder {
 public:
  JointEncoder(Parameters parameters, std::vector<JointSlice> slices)
      : Encoder("joint", std::move(parameters), joint_dimension(slices), joint_layout(slices)),
        slices_(std::move(slices)) {}

  std::vector<std::size_t> bit_places() const override {
    std::vector<std::size_t> places;
    std::size_t words = 0;
    for (const auto& slice : slices_) {
      for (const auto place : slice.encoder->bit_places()) places.push_back(words * 64 + place);
      words += words_of(slice);
    }
    return places;
  }

 private:
  void encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const override {
    std::vector<std::uint8_t> packed(features.rows() * layout().row_bytes());
    std::size_t offset = 0;
    for (const auto& slice : slices_) {
      const auto part =
          slice.encoder->encode(features.cols_from(slice.first_column, slice.encoder->dimension()), 1);
      for (std::size_t r = 0; r < features.rows(); ++r) {
        part.get_row(r, packed.data() + r * layout().row_bytes() + offset);
      }
      offset += words_of(slice) * 8;
    }
    for (std::size_t r = 0; r < features.rows(); ++r) {
      codes.set_row(first_row + r, packed.data() + r * layout().row_bytes());
    }
  }

  std::unique_ptr<QueryScorer> make_scorer(MatrixView queries) const override {
    std::vector<std::uint32_t> weights;
    for (const auto& slice : slices_) weights.insert(weights.end(), words_of(slice), slice.weight);
    return make_hamming_scorer(encode(queries, 1), std::move(weights));
  }

  void write_state(ByteWriter& writer) const override {
    writer.number<std::uint64_t>(slices_.size());
    for (const auto& slice : slices_) {
      writer.number<std::uint64_t>(slice.first_column);
      writer.number(slice.weight);
      writer.bytes(slice.encoder->to_bytes());
    }
  }

  std::vector<JointSlice> slices_;
};

std::shared_ptr<const Encoder> load(const Parameters& parameters, ByteReader& reader) {
  std::vector<JointSlice> slices;
  const auto count = reader.number<std::uint64_t>();
  for (std::uint64_t i = 0; i < count; ++i) {
    JointSlice slice;
    slice.first_column = reader.number<std::uint64_t>();
    slice.weight = reader.number<std::uint32_t>();
    const auto bytes = reader.bytes();
    ByteReader head(bytes, "slice of a joint encoder");
    if (read_type(head) == "joint") reader.corrupt("a slice is a joint encoder itself");
    slice.encoder = load_encoder(bytes);
    slices.push_back(std::move(slice));
    check_slices(slices);
  }
  check_slices(slices);
  return std::make_shared<JointEncoder>(parameters, std::move(slices));
}

/// "width:weight,width:weight" to widths and weights.
std::vector<std::pair<std::size_t, std::uint32_t>> parse_slices(const std::string& list) {
  std::vector<std::pair<std::size_t, std::uint32_t>> slices;
  const char* at = list.data();
  const char* const end = list.data() + list.size();
  while (at < end) {
    std::size_t width = 0;
    std::uint32_t weight = 0;
    auto parsed = std::from_chars(at, end, width);
    bool good = parsed.ec == std::errc() && parsed.ptr < end && *parsed.ptr == ':' && width > 0;
    if (good) {
      parsed = std::from_chars(parsed.ptr + 1, end, weight);
      good = parsed.ec == std::errc() && (parsed.ptr == end || *parsed.ptr == ',');
    }
    if (!good) {
      fail(ErrorCode::invalid_argument,
           "encoder 'joint': option 'slices' must be width:weight,width:weight,..., got '", list, "'");
    }
    slices.emplace_back(width, weight);
    at = parsed.ptr + 1;
  }
  return slices;
}

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  const auto wanted = parse_slices(text(parameters, "slices"));
  std::size_t columns = 0;
  for (const auto& [width, weight] : wanted) columns += std::min(width, kMaxDimension);
  if (columns != data.features.cols()) {
    fail(ErrorCode::invalid_argument, "encoder 'joint': expected slices that make up the ",
         data.features.cols(), " dimensions of the features, got '", text(parameters, "slices"), "'");
  }
  const EncoderOptions options = {text(parameters, "encoder"), {{"bits", parameters.at("bits")}}};
  std::vector<JointSlice> slices;
  std::size_t column = 0;
  for (const auto& [width, weight] : wanted) {
    TrainingSet part = data;
    part.features = data.features.cols_from(column, width);
    slices.push_back({column, train_encoder(options, part), weight});
    column += width;
  }
  check_slices(slices);
  return std::make_shared<JointEncoder>(parameters, std::move(slices));
}

}  // namespace

EncoderType joint_type() {
  return {"joint",
          "sum of weighted Hamming distances over slices of a concatenated feature (Qin et al. 2019)",
          {{"slices", std::string(), 0, 0, "width:weight of every slice, separated by commas"},
           {"encoder", std::string("itq"), 0, 0, "type of each slice's binary encoder"},
           {"bits", std::int64_t{64}, 1, CodeLayout::kMaxBits, "of each slice"}},
          train,
          load};
}

}  // namespace encoders

std::shared_ptr<const Encoder> make_joint_encoder(std::vector<JointSlice> slices) {
  encoders::check_slices(slices);
  return std::make_shared<encoders::JointEncoder>(Parameters{}, std::move(slices));
}

}  // namespace medretrieval
