// PNG through libpng. libpng reports errors by longjmp, so the functions that call setjmp keep only plain
// values; everything with a destructor lives in the session objects, outside them.
#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <csetjmp>
#include <cstring>
#include <medretrieval/imaging/load.hpp>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/raster.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

void keep_error(png_structp png, png_const_charp message) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

// Chunks that say nothing about the grey values. Skipped, because libpng would unfold and keep up to 8 MB of
// text or profile for each of up to 1000 of them.
constexpr auto kUnusedChunks = std::to_array<png_byte>(
    {'e', 'X', 'I', 'f', 0,   'h', 'I', 'S', 'T', 0,   'i', 'C', 'C', 'P', 0,   'i', 'T',
     'X', 't', 0,   'p', 'C', 'A', 'L', 0,   's', 'C', 'A', 'L', 0,   's', 'P', 'L', 'T',
     0,   't', 'E', 'X', 't', 0,   't', 'I', 'M', 'E', 0,   'z', 'T', 'X', 't', 0});

class PngReader {
 public:
  explicit PngReader(std::span<const std::uint8_t> bytes) : size_(bytes.size()), rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message_, keep_error, ignore_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    png_set_read_fn(png_, this, take_bytes);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  GreyRaster read() {
    require(read_header());
    GreyRaster raster = make_raster(png_get_image_width(png_, info_), png_get_image_height(png_, info_),
                                    png_get_bit_depth(png_, info_) == 16 ? 65535 : 255, size_);
    require(set_transformations());
    require_plausible_samples(row_bytes_ * raster.image.height(), size_);
    std::vector<std::uint8_t> rows(row_bytes_ * (passes_ == 1 ? 1 : raster.image.height()));
    require(read_rows(rows.data(), raster));
    return raster;
  }

 private:
  void require(bool done) const {
    if (!done) fail(ErrorCode::corrupt, "not a whole PNG: ", message_);
  }

  static void take_bytes(png_structp png, png_bytep target, std::size_t count) {
    auto& rest = static_cast<PngReader*>(png_get_io_ptr(png))->rest_;
    if (count > rest.size()) png_error(png, "the data ends early");
    std::memcpy(target, rest.data(), count);
    rest = rest.subspan(count);
  }

  // libpng's own limit on the sides would be reported as a broken header; Image checks them instead, and no
  // row is allocated before.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kUnusedChunks.data(),
                                static_cast<int>(kUnusedChunks.size() / 5));
    png_read_info(png_, info_);
    return true;
  }

  // Any colour type to 8- or 16-bit grey, grey + alpha, RGB or RGBA.
  bool set_transformations() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_expand(png_);
    if constexpr (std::endian::native == std::endian::little) png_set_swap(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    row_bytes_ = png_get_rowbytes(png_, info_);
    return true;
  }

  // Interlaced images come in passes that each refine all rows; the others need one row of memory only.
  bool read_rows(std::uint8_t* rows, GreyRaster& raster) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    for (int pass = 1; pass <= passes_; ++pass) {
      for (std::size_t y = 0; y < raster.image.height(); ++y) {
        std::uint8_t* row = passes_ == 1 ? rows : rows + y * row_bytes_;
        png_read_row(png_, row, nullptr);
        if (pass == passes_) convert(row, raster, y);
      }
    }
    png_read_end(png_, nullptr);  // so that a file cut behind the pixels is refused too
    return true;
  }

  void convert(const std::uint8_t* row, GreyRaster& raster, std::size_t y) const {
    const std::size_t channels = png_get_channels(png_, info_);
    if (raster.white > 255) {
      grey_row(reinterpret_cast<const std::uint16_t*>(row), channels, channels, raster.white,
               raster.image.row(y));
    } else {
      grey_row(row, channels, channels, raster.white, raster.image.row(y));
    }
  }

  std::size_t size_;
  std::span<const std::uint8_t> rest_;
  std::string message_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  std::size_t row_bytes_ = 0;
};

// Of 1 to 9. Noise, of which medical images are full, is searched long for repetitions at higher levels.
constexpr int kCompressionLevel = 3;

class PngWriter {
 public:
  PngWriter() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &message_, keep_error, ignore_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    png_set_write_fn(png_, &bytes_, append_bytes, nullptr);
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  std::vector<std::uint8_t> write(const Image& image, int bits) {
    std::vector<std::uint8_t> row(image.width() * static_cast<std::size_t>(bits / 8));
    if (!write_rows(image, bits, row)) fail(ErrorCode::io, "libpng: ", message_);
    return std::move(bytes_);
  }

 private:
  static void append_bytes(png_structp png, png_bytep data, std::size_t count) {
    auto& bytes = *static_cast<std::vector<std::uint8_t>*>(png_get_io_ptr(png));
    bytes.insert(bytes.end(), data, data + count);
  }

  bool write_rows(const Image& image, int bits, std::span<std::uint8_t> row) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width()),
                 static_cast<png_uint_32>(image.height()), bits, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png_, kCompressionLevel);
    png_write_info(png_, info_);
    for (std::size_t y = 0; y < image.height(); ++y) {
      quantize(image.row(y), bits, row);
      png_write_row(png_, row.data());
    }
    png_write_end(png_, info_);
    return true;
  }

  // Big-endian, as PNG stores 16-bit samples. NaN becomes black. The product of 8 bits is a float, in which a
  // half comes back as a half although its share was rounded: such halves are common among whole HU.
  static void quantize(std::span<const float> values, int bits, std::span<std::uint8_t> row) {
    std::size_t byte = 0;
    for (const float value : values) {
      const float share = value > 0 ? std::min(value, 1.0F) : 0.0F;
      const auto level =
          static_cast<unsigned>(bits == 16 ? std::lround(share * 65535.0) : std::lround(share * 255.0F));
      if (bits == 16) row[byte++] = static_cast<std::uint8_t>(level >> 8);
      row[byte++] = static_cast<std::uint8_t>(level & 0xFF);
    }
  }

  std::vector<std::uint8_t> bytes_;
  std::string message_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

GreyRaster decode_png(std::span<const std::uint8_t> bytes) {
  return PngReader(bytes).read();
}

std::vector<unsigned char> encode_png(const Image& image, int bits) {
  if (bits != 8 && bits != 16) {
    fail(ErrorCode::invalid_argument, "a PNG is written with 8 or 16 bits, got ", bits);
  }
  if (image.empty() || image.unit() != PixelUnit::display) {
    fail(ErrorCode::invalid_argument, "a PNG is written from a non-empty image in display units");
  }
  return PngWriter().write(image, bits);
}

void write_png(const Image& image, const std::filesystem::path& file, int bits) {
  write_file(file, encode_png(image, bits));
}

}  // namespace medretrieval::imaging
