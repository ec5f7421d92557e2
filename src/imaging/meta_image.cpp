#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <map>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/meta_image.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/inflate.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

// ---- the header: lines of "Key = value", the last one says where the voxels are --------------------------

struct Header {
  std::map<std::string, std::string, std::less<>> values;
  std::size_t bytes = 0;  // up to and with the newline behind ElementDataFile
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Header read_header(std::string_view text) {
  Header header;
  while (header.bytes < text.size()) {
    const std::size_t end = std::min(text.find('\n', header.bytes), text.size());
    const std::string_view line = text.substr(header.bytes, end - header.bytes);
    header.bytes = std::min(end + 1, text.size());
    const std::size_t equals = line.find('=');
    if (trimmed(line).empty()) continue;
    if (equals == std::string_view::npos) fail(ErrorCode::corrupt, "a MetaImage header line without '='");
    const std::string key(trimmed(line.substr(0, equals)));
    if (!header.values.emplace(key, trimmed(line.substr(equals + 1))).second) {
      fail(ErrorCode::corrupt, "the MetaImage header states ", key, " twice");
    }
    if (key == "ElementDataFile") return header;
  }
  fail(ErrorCode::corrupt, "a MetaImage header without ElementDataFile in its first ", kMaxHeaderBytes,
       " bytes");
}

std::optional<std::string_view> find(const Header& header, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto found = header.values.find(key);
    if (found != header.values.end()) return found->second;
  }
  return std::nullopt;
}

std::string_view need(const Header& header, std::string_view key) {
  const auto value = find(header, {key});
  if (!value) fail(ErrorCode::corrupt, "a MetaImage header without ", key);
  return *value;
}

// `count` numbers with blanks between them, and nothing else.
template <class Number>
std::vector<Number> numbers(std::string_view text, std::string_view key, std::size_t count) {
  std::vector<Number> values;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    Number value{};
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) break;
    values.push_back(value);
    at = std::find_if(next, end, [](char c) { return c != ' ' && c != '\t'; });
  }
  if (at != end || values.size() != count) {
    fail(ErrorCode::corrupt, "MetaImage ", key, " is \"", text.substr(0, 80), "\", expected ", count,
         " numbers");
  }
  return values;
}

bool is_true(const Header& header, std::initializer_list<std::string_view> keys, bool absent) {
  const auto value = find(header, keys);
  if (!value) return absent;
  const bool yes = *value == "True" || *value == "true" || *value == "1";
  if (!yes && *value != "False" && *value != "false" && *value != "0") {
    fail(ErrorCode::corrupt, "MetaImage ", *keys.begin(), " is \"", *value, "\", expected True or False");
  }
  return yes;
}

void refuse_unsupported(const Header& header) {
  if (!is_true(header, {"BinaryData"}, true))
    fail(ErrorCode::unsupported, "MetaImage voxels written as text");
  if (numbers<int>(find(header, {"ElementNumberOfChannels"}).value_or("1"), "ElementNumberOfChannels",
                   1)[0] != 1) {
    fail(ErrorCode::unsupported, "MetaImage voxels of several channels");
  }
  if (numbers<int>(find(header, {"HeaderSize"}).value_or("0"), "HeaderSize", 1)[0] != 0) {
    fail(ErrorCode::unsupported, "a MetaImage data file with a header of its own");
  }
}

void read_geometry(const Header& header, MetaImage& image) {
  const std::size_t dimensions = numbers<std::size_t>(need(header, "NDims"), "NDims", 1)[0];
  if (dimensions != 2 && dimensions != 3) {
    fail(ErrorCode::unsupported, "a MetaImage of ", dimensions, " dimensions; 2 and 3 are read");
  }
  auto sizes = numbers<std::size_t>(need(header, "DimSize"), "DimSize", dimensions);
  sizes.resize(3, 1);
  image.width = sizes[0];
  image.height = sizes[1];
  image.depth = sizes[2];
  if (const auto text = find(header, {"ElementSpacing", "ElementSize"})) {
    const auto spacing = numbers<double>(*text, "ElementSpacing", dimensions);
    std::copy(spacing.begin(), spacing.end(), image.spacing.begin());
  }
  if (const auto text = find(header, {"Offset", "Position", "Origin"})) {
    const auto origin = numbers<double>(*text, "Offset", dimensions);
    std::copy(origin.begin(), origin.end(), image.origin.begin());
  }
}

void check_size(const MetaImage& image) {
  const bool sides_fit = image.width >= 1 && image.width <= kMaxImageSide && image.height >= 1 &&
                         image.height <= kMaxImageSide && image.width * image.height <= kMaxImagePixels;
  if (!sides_fit || image.depth == 0 || image.depth > kMaxMetaImageVoxels / (image.width * image.height)) {
    fail(ErrorCode::limit_exceeded, "a MetaImage of ", image.width, " x ", image.height, " x ", image.depth,
         "; at most ", kMaxImagePixels, " pixels a slice and ", kMaxMetaImageVoxels, " voxels are read");
  }
}

// ---- the voxels ------------------------------------------------------------------------------------------

template <class Element>
void convert(Bytes bytes, bool reversed, std::vector<float>& voxels) {
  std::array<std::uint8_t, sizeof(Element)> raw;
  for (std::size_t i = 0; i < voxels.size(); ++i) {
    std::copy_n(bytes.data() + i * raw.size(), raw.size(), raw.begin());
    if (reversed) std::reverse(raw.begin(), raw.end());
    voxels[i] = static_cast<float>(std::bit_cast<Element>(raw));
  }
}

struct ElementType {
  std::size_t bytes;
  void (*convert)(Bytes, bool, std::vector<float>&);
};

// MET_LONG is missing on purpose: it has four or eight bytes, depending on who wrote it.
const ElementType& element_type(std::string_view name) {
  static const std::map<std::string_view, ElementType> kTypes = {
      {"MET_CHAR", {1, convert<std::int8_t>}},
      {"MET_UCHAR", {1, convert<std::uint8_t>}},
      {"MET_SHORT", {2, convert<std::int16_t>}},
      {"MET_USHORT", {2, convert<std::uint16_t>}},
      {"MET_INT", {4, convert<std::int32_t>}},
      {"MET_UINT", {4, convert<std::uint32_t>}},
      {"MET_LONG_LONG", {8, convert<std::int64_t>}},
      {"MET_ULONG_LONG", {8, convert<std::uint64_t>}},
      {"MET_FLOAT", {4, convert<float>}},
      {"MET_DOUBLE", {8, convert<double>}}};
  const auto found = kTypes.find(name);
  if (found == kTypes.end()) fail(ErrorCode::unsupported, "MetaImage elements of type ", name);
  return found->second;
}

// The header names its data file; a hostile one would name any file of the machine.
fs::path data_file(const fs::path& header_file, std::string_view name) {
  const fs::path relative(name);
  const bool leaves =
      relative.has_root_path() || std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (name.empty() || leaves || name.starts_with("LIST") || name.find('%') != std::string_view::npos) {
    fail(ErrorCode::unsupported, "the MetaImage data file \"", name.substr(0, 200),
         "\"; LOCAL or one file in the header's folder is read");
  }
  return header_file.parent_path() / relative;
}

std::vector<std::uint8_t> inflate_voxels(const Header& header, Bytes stored, std::size_t expected) {
  if (const auto text = find(header, {"CompressedDataSize"})) {
    const std::size_t size = numbers<std::size_t>(*text, "CompressedDataSize", 1)[0];
    if (size > stored.size()) {
      fail(ErrorCode::corrupt, "MetaImage data of ", stored.size(), " bytes where ", size, " are stated");
    }
    stored = stored.first(size);
  }
  return inflate_bytes(stored, DeflateFormat::zlib_or_gzip, expected);
}

void read_voxels(const Header& header, Bytes stored, MetaImage& image) {
  const ElementType& type = element_type(image.element_type);
  const std::size_t count = image.width * image.height * image.depth;
  std::vector<std::uint8_t> inflated;
  if (is_true(header, {"CompressedData"}, false)) {
    inflated = inflate_voxels(header, stored, count * type.bytes);
    stored = inflated;
  }
  if (stored.size() != count * type.bytes) {
    fail(ErrorCode::corrupt, "MetaImage data of ", stored.size(), " bytes where ", count, " voxels of ",
         type.bytes, " bytes are stated");
  }
  const bool big_endian = is_true(header, {"BinaryDataByteOrderMSB", "ElementByteOrderMSB"}, false);
  image.voxels.resize(count);
  type.convert(stored, big_endian != (std::endian::native == std::endian::big), image.voxels);
}

MetaImage read(const fs::path& file) {
  const std::vector<std::uint8_t> bytes = read_file(file);
  const Header header =
      read_header({reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kMaxHeaderBytes)});
  refuse_unsupported(header);
  MetaImage image;
  read_geometry(header, image);
  check_size(image);
  image.element_type = need(header, "ElementType");
  const std::string_view data = need(header, "ElementDataFile");
  if (data == "LOCAL") {
    read_voxels(header, Bytes(bytes).subspan(header.bytes), image);
  } else {
    const fs::path raw = data_file(file, data);
    read_voxels(header, naming_file(raw, [&] { return read_file(raw); }), image);
  }
  return image;
}

}  // namespace

Image MetaImage::slice(std::size_t z) const {
  if (z >= depth) fail(ErrorCode::invalid_argument, "no slice ", z, "; there are ", depth);
  Image image(width, height, PixelUnit::stored);
  std::copy_n(voxels.begin() + static_cast<std::ptrdiff_t>(z * width * height), width * height,
              image.pixels().begin());
  return image;
}

MetaImage read_meta_image(const fs::path& file) {
  return naming_file(file, [&] { return read(file); });
}

}  // namespace medretrieval::imaging
