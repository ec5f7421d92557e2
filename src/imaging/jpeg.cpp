// JPEG through libjpeg. libjpeg reports errors by longjmp, so the functions that call setjmp keep only plain
// values; everything with a destructor lives outside them.
#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>
// jerror.h needs jpeglib.h before it
#include <jerror.h>

#include <array>
#include <csetjmp>
#include <vector>

#include "base/concat.hpp"
#include "imaging/raster.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

class JpegReader {
 public:
  explicit JpegReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    codec_.err = jpeg_std_error(&errors_);
    codec_.client_data = this;
    errors_.error_exit = [](j_common_ptr codec) { stop(codec); };
    errors_.emit_message = [](j_common_ptr codec, int level) {
      if (level < 0 && loses_pixels(codec->err->msg_code)) stop(codec);
    };
    progress_.progress_monitor = [](j_common_ptr codec) {
      auto& reader = *static_cast<JpegReader*>(codec->client_data);
      reader.has_too_many_scans_ = reader.codec_.input_scan_number > reader.max_scans_;
      if (reader.has_too_many_scans_) stop(codec);
    };
  }
  ~JpegReader() { jpeg_destroy_decompress(&codec_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  GreyRaster read() {
    require(read_header());
    if (codec_.num_components != 1 && codec_.num_components != 3) {
      fail(ErrorCode::unsupported, "a JPEG of ", codec_.num_components, " components; 1 and 3 are read");
    }
    GreyRaster raster = make_raster(codec_.image_width, codec_.image_height, 255, bytes_.size());
    max_scans_ = static_cast<int>(most_jpeg_scans(raster.image.pixels().size()));
    std::vector<JSAMPLE> row(codec_.image_width);
    require(read_rows(row.data(), raster));
    return raster;
  }

 private:
  static void stop(j_common_ptr codec) {
    std::longjmp(static_cast<JpegReader*>(codec->client_data)->stopped_, 1);
  }

  // libjpeg only warns where data is missing or wrong, and makes up the rest of the image.
  static bool loses_pixels(int warning) {
    return warning != JWRN_ADOBE_XFORM && warning != JWRN_JFIF_MAJOR && warning != JWRN_EXTRANEOUS_DATA;
  }

  bool read_header() {
    if (setjmp(stopped_) != 0) return false;
    jpeg_create_decompress(&codec_);
    codec_.progress = &progress_;
    jpeg_mem_src(&codec_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
    jpeg_read_header(&codec_, TRUE);
    return true;
  }

  bool read_rows(JSAMPLE* row, GreyRaster& raster) {
    if (setjmp(stopped_) != 0) return false;
    codec_.out_color_space = JCS_GRAYSCALE;  // BT.601 luminance
    jpeg_start_decompress(&codec_);
    while (codec_.output_scanline < codec_.output_height) {
      const std::size_t y = codec_.output_scanline;
      jpeg_read_scanlines(&codec_, &row, 1);
      grey_row(row, 1, 1, raster.white, raster.image.row(y));
    }
    jpeg_finish_decompress(&codec_);  // so that a file cut behind the pixels is refused too
    return true;
  }

  void require(bool done) {
    if (done) return;
    if (has_too_many_scans_) fail(ErrorCode::limit_exceeded, "a JPEG of more than ", max_scans_, " scans");
    std::array<char, JMSG_LENGTH_MAX> message{};
    errors_.format_message(reinterpret_cast<j_common_ptr>(&codec_), message.data());
    switch (errors_.msg_code) {
      case JERR_ARITH_NOTIMPL:
      case JERR_BAD_PRECISION:
      case JERR_CONVERSION_NOTIMPL:
      case JERR_SOF_UNSUPPORTED:
        fail(ErrorCode::unsupported, "a kind of JPEG that is not read here: ", message.data());
      case JERR_IMAGE_TOO_BIG:
        fail(ErrorCode::limit_exceeded, message.data());
      default:
        fail(ErrorCode::corrupt, "not a whole JPEG: ", message.data());
    }
  }

  std::span<const std::uint8_t> bytes_;
  jpeg_decompress_struct codec_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  int max_scans_ = 0;
  bool has_too_many_scans_ = false;
  std::jmp_buf stopped_ = {};
};

}  // namespace

GreyRaster decode_jpeg(std::span<const std::uint8_t> bytes) {
  return JpegReader(bytes).read();
}

}  // namespace medretrieval::imaging
