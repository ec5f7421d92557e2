// libjpeg reports errors by longjmp: the function that calls setjmp keeps only plain values, everything with a
// destructor lives outside it.
#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstdlib>

#include "base/concat.hpp"
#include "imaging/jpeg_write.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr int kQuality = 95;

class JpegWriter {
 public:
  JpegWriter() {
    codec_.err = jpeg_std_error(&errors_);
    codec_.client_data = this;
    errors_.error_exit = [](j_common_ptr codec) {
      std::longjmp(static_cast<JpegWriter*>(codec->client_data)->stopped_, 1);
    };
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&codec_);
    std::free(bytes_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  std::vector<std::uint8_t> write(const Image& image) {
    std::vector<JSAMPLE> row(image.width());
    if (!write_rows(image, row.data())) {
      std::array<char, JMSG_LENGTH_MAX> message{};
      errors_.format_message(reinterpret_cast<j_common_ptr>(&codec_), message.data());
      fail(ErrorCode::io, "libjpeg: ", message.data());
    }
    return {bytes_, bytes_ + size_};
  }

 private:
  bool write_rows(const Image& image, JSAMPLE* row) {
    if (setjmp(stopped_) != 0) return false;
    jpeg_create_compress(&codec_);
    jpeg_mem_dest(&codec_, &bytes_, &size_);
    codec_.image_width = static_cast<JDIMENSION>(image.width());
    codec_.image_height = static_cast<JDIMENSION>(image.height());
    codec_.input_components = 1;
    codec_.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&codec_);
    codec_.dct_method = JDCT_ISLOW;  // the same bytes on every machine
    jpeg_set_quality(&codec_, kQuality, TRUE);
    jpeg_start_compress(&codec_, TRUE);
    while (codec_.next_scanline < codec_.image_height) {
      const auto values = image.row(codec_.next_scanline);
      std::transform(values.begin(), values.end(), row, [](float value) {
        return static_cast<JSAMPLE>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255.0F));
      });
      jpeg_write_scanlines(&codec_, &row, 1);
    }
    jpeg_finish_compress(&codec_);
    return true;
  }

  jpeg_compress_struct codec_ = {};
  jpeg_error_mgr errors_ = {};
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;
  std::jmp_buf stopped_ = {};
};

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const Image& image) {
  if (image.empty() || image.unit() != PixelUnit::display) {
    fail(ErrorCode::invalid_argument, "a JPEG is written from a non-empty image in display units");
  }
  return JpegWriter().write(image);
}

}  // namespace medretrieval::imaging
