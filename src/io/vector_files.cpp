#include <medretrieval/vector_files.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/concat.hpp"
#include "io/files.hpp"
#include "io/sinks.hpp"

namespace medretrieval {

using detail::fail;

namespace {

constexpr std::size_t kNpyPrefix = 10;  // magic, version, 16-bit header length
constexpr std::size_t kMaxNpyHeader = 65535;

struct NpyShape {
  std::size_t rows;
  std::size_t cols;
  bool is_double;
};

/// Walks over a header's dictionary, which NumPy writes in one fixed form.
class NpyHeader {
 public:
  NpyHeader(std::string_view text, const std::string& name) : text_(text), left_(text), name_(name) {}

  NpyShape parse() {
    expect("{");
    expect("'descr':");
    expect("'");
    const std::string type = until('\'');
    expect(",");
    expect("'fortran_order':");
    const std::string order = until(',');
    expect("'shape':");
    expect("(");
    const auto shape = numbers_until_closed();
    if (starts_with(",")) expect(",");
    expect("}");
    skip_space();
    if (!left_.empty()) malformed();
    if (type != "<f4" && type != "<f8") {
      fail(ErrorCode::unsupported, name_, ": expected elements '<f4' or '<f8', got '", type, "'");
    }
    if (order != "False")
      fail(ErrorCode::unsupported, name_, ": expected C order, got Fortran order '", order, "'");
    if (shape.empty() || shape.size() > 2) {
      fail(ErrorCode::unsupported, name_, ": expected one or two dimensions, got ", shape.size());
    }
    return {shape.size() == 2 ? shape[0] : 1, shape.back(), type == "<f8"};
  }

 private:
  [[noreturn]] void malformed() const {
    fail(ErrorCode::corrupt, name_, ": not a npy header: ", text_.substr(0, 200));
  }
  void skip_space() { left_.remove_prefix(std::min(left_.find_first_not_of(" \n"), left_.size())); }
  bool starts_with(std::string_view token) {
    skip_space();
    return left_.starts_with(token);
  }
  void expect(std::string_view token) {
    if (!starts_with(token)) malformed();
    left_.remove_prefix(token.size());
  }
  std::string until(char end) {
    skip_space();
    const auto length = left_.find(end);
    if (length == std::string_view::npos) malformed();
    std::string value(left_.substr(0, length));
    left_.remove_prefix(length + 1);
    return value;
  }
  std::vector<std::size_t> numbers_until_closed() {
    std::vector<std::size_t> numbers;
    while (!starts_with(")")) {
      if (!numbers.empty()) expect(",");
      if (starts_with(")")) break;
      std::size_t number = 0;
      const auto parsed = std::from_chars(left_.data(), left_.data() + left_.size(), number);
      if (parsed.ec != std::errc()) malformed();
      left_.remove_prefix(static_cast<std::size_t>(parsed.ptr - left_.data()));
      numbers.push_back(number);
    }
    expect(")");
    return numbers;
  }

  std::string_view text_;
  std::string_view left_;
  const std::string& name_;
};

}  // namespace

Matrix read_npy(const std::filesystem::path& file) {
  const auto bytes = io::read_file(file);
  const std::string name = file.string();
  if (bytes.size() < kNpyPrefix || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0) {
    fail(ErrorCode::corrupt, name, ": not a npy file");
  }
  const auto major = static_cast<unsigned>(bytes[6]);
  std::size_t begin = kNpyPrefix;
  std::size_t length = static_cast<std::size_t>(bytes[8]) | static_cast<std::size_t>(bytes[9]) << 8;
  if (major == 2 || major == 3) {
    if (bytes.size() < 12) fail(ErrorCode::corrupt, name, ": cut within the header");
    begin = 12;
    length |= static_cast<std::size_t>(bytes[10]) << 16 | static_cast<std::size_t>(bytes[11]) << 24;
  } else if (major != 1) {
    fail(ErrorCode::unsupported, name, ": expected npy version 1 to 3, got ", major);
  }
  if (length > kMaxNpyHeader || bytes.size() - begin < length)
    fail(ErrorCode::corrupt, name, ": cut within the header");
  const NpyShape shape =
      NpyHeader({reinterpret_cast<const char*>(bytes.data()) + begin, length}, name).parse();
  const std::size_t left = bytes.size() - begin - length;
  const std::size_t element = shape.is_double ? 8 : 4;
  if (shape.rows != 0 && shape.cols > left / element / shape.rows) {
    fail(ErrorCode::corrupt, name, ": expected ", shape.rows, " x ", shape.cols, " values, got ", left,
         " bytes");
  }
  if (left != shape.rows * shape.cols * element) {
    fail(ErrorCode::corrupt, name, ": ", left - shape.rows * shape.cols * element,
         " bytes follow the values");
  }
  Matrix matrix(shape.rows, shape.cols);
  const std::byte* from = bytes.data() + begin + length;
  for (std::size_t i = 0; i < shape.rows * shape.cols; ++i) {
    if (shape.is_double) {
      double value;
      std::memcpy(&value, from + i * 8, 8);
      matrix.data()[i] = static_cast<float>(value);
    } else {
      std::memcpy(matrix.data() + i, from + i * 4, 4);
    }
  }
  return matrix;
}

void write_npy(const std::filesystem::path& file, MatrixView matrix) {
  std::string header = detail::concat("{'descr': '<f4', 'fortran_order': False, 'shape': (", matrix.rows(),
                                      ", ", matrix.cols(), "), }");
  header.append(64 - (kNpyPrefix + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  for (std::size_t r = 0; r < matrix.rows(); ++r) {
    bytes.append(reinterpret_cast<const char*>(matrix.row(r).data()), matrix.cols() * sizeof(float));
  }
  io::write_file_atomically(file, std::as_bytes(std::span(bytes)));
}

namespace {

/// Calls row(values, width) for every record of a file of 32-bit widths and values.
template <class Row>
void read_records(const std::filesystem::path& file, const Row& row) {
  const auto bytes = io::read_file(file);
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::int32_t width = 0;
    if (bytes.size() - at < 4) fail(ErrorCode::corrupt, file.string(), ": cut within a width at byte ", at);
    std::memcpy(&width, bytes.data() + at, 4);
    at += 4;
    if (width <= 0 || static_cast<std::size_t>(width) > (bytes.size() - at) / 4) {
      fail(ErrorCode::corrupt, file.string(), ": a vector of ", width, " values at byte ", at - 4,
           " does not fit the ", bytes.size() - at, " bytes left");
    }
    row(bytes.data() + at, static_cast<std::size_t>(width));
    at += static_cast<std::size_t>(width) * 4;
  }
}

}  // namespace

Matrix read_fvecs(const std::filesystem::path& file) {
  std::vector<float> values;
  std::size_t cols = 0;
  read_records(file, [&](const std::byte* from, std::size_t width) {
    if (cols == 0) cols = width;
    if (width != cols) {
      fail(ErrorCode::corrupt, file.string(), ": expected vectors of ", cols, " values, got one of ", width);
    }
    values.resize(values.size() + width);
    std::memcpy(values.data() + values.size() - width, from, width * 4);
  });
  return cols == 0 ? Matrix() : Matrix::copy_of({values.data(), values.size() / cols, cols});
}

std::vector<std::vector<std::int32_t>> read_ivecs(const std::filesystem::path& file) {
  std::vector<std::vector<std::int32_t>> rows;
  read_records(file, [&](const std::byte* from, std::size_t width) {
    rows.emplace_back(width);
    std::memcpy(rows.back().data(), from, width * 4);
  });
  return rows;
}

}  // namespace medretrieval
