#include <algorithm>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/meta_image.hpp>
#include <string_view>

#include "base/concat.hpp"
#include "imaging/dicom_parse.hpp"
#include "imaging/display.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/raster.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

// Enough for a DICOM preamble and for the keys of a MetaImage header.
constexpr std::size_t kHeadBytes = 4096;

// A MetaImage header is lines of "Key = value"; NDims is the only key that every writer must state.
bool looks_like_meta_image(std::string_view head) {
  const std::size_t key = head.find("NDims");
  if (key == std::string_view::npos || (key > 0 && head[key - 1] != '\n')) return false;
  const std::size_t after = head.find_first_not_of(" \t", key + 5);
  return after != std::string_view::npos && head[after] == '=';
}

GreyRaster decode_raster(FileKind kind, std::span<const std::uint8_t> bytes) {
  switch (kind) {
    case FileKind::png:
      return decode_png(bytes);
    case FileKind::jpeg:
      return decode_jpeg(bytes);
    default:
      return decode_tiff(bytes);
  }
}

Image load_raster(FileKind kind, const fs::path& file, const LoadOptions& options) {
  if (options.frame != 0) {
    fail(ErrorCode::invalid_argument, "PNG, JPEG and TIFF have frame 0 only, got frame ", options.frame);
  }
  const GreyRaster raster = decode_raster(kind, read_file(file));
  return apply_window(raster.image, options.window.value_or(Window{raster.white / 2, raster.white}));
}

Image show_slice(const Image& slice, const LoadOptions& options) {
  return options.window ? apply_window(slice, *options.window) : stretch_to_display(slice);
}

}  // namespace

FileKind detect_file_kind(const fs::path& file) {
  using namespace std::string_view_literals;
  const std::vector<std::uint8_t> bytes = naming_file(file, [&] { return read_head(file, kHeadBytes); });
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto starts_with_one_of = [&](std::initializer_list<std::string_view> signatures) {
    return std::any_of(signatures.begin(), signatures.end(),
                       [&](std::string_view signature) { return head.starts_with(signature); });
  };
  if (has_dicom_preamble(bytes)) return FileKind::dicom;  // first: the preamble may itself be a TIFF header
  if (starts_with_one_of({"\x89PNG\r\n\x1A\n"sv})) return FileKind::png;
  if (starts_with_one_of({"\xFF\xD8\xFF"sv})) return FileKind::jpeg;
  if (starts_with_one_of({"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})) return FileKind::tiff;
  if (looks_like_dicom(bytes)) return FileKind::dicom;
  if (looks_like_meta_image(head)) return FileKind::meta_image;
  fail(ErrorCode::unsupported, file.string(), " is none of PNG, JPEG, TIFF, DICOM and MetaImage");
}

Image load_image(const fs::path& file, const LoadOptions& options) {
  const FileKind kind = detect_file_kind(file);
  if (kind == FileKind::dicom) return DicomFile(file).display_image(options.frame, options.window);
  if (kind == FileKind::meta_image) {
    const Image slice = read_meta_image_view(file, options.frame);
    return naming_file(file, [&] { return show_slice(slice, options); });
  }
  return naming_file(file, [&] { return load_raster(kind, file, options); });
}

}  // namespace medretrieval::imaging
