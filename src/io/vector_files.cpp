#include <medretrieval/vector_files.hpp>

#include <cstring>
#include <fstream>
#include <regex>
#include <string>

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

/// Reads the header's dictionary, which NumPy writes in one fixed form.
NpyShape parse_npy_header(const std::string& header, const std::string& name) {
  static const std::regex kForm(
      R"(\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False)\s*,\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*)");
  std::smatch parts;
  if (!std::regex_match(header, parts, kForm)) fail(ErrorCode::corrupt, name, ": not a npy header: ", header);
  if (parts[1] != "<f4" && parts[1] != "<f8") {
    fail(ErrorCode::unsupported, name, ": expected elements '<f4' or '<f8', got '", parts[1].str(), "'");
  }
  if (parts[2] != "False") fail(ErrorCode::unsupported, name, ": expected C order, got Fortran order");
  std::vector<std::size_t> shape;
  const std::string list = parts[3];
  static const std::regex kNumber("[0-9]{1,18}");
  for (auto it = std::sregex_iterator(list.begin(), list.end(), kNumber); it != std::sregex_iterator();
       ++it) {
    shape.push_back(std::stoull(it->str()));
  }
  if (shape.empty() || shape.size() > 2) {
    fail(ErrorCode::unsupported, name, ": expected one or two dimensions, got ", shape.size());
  }
  return {shape.size() == 2 ? shape[0] : 1, shape.back(), parts[1] == "<f8"};
}

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
      parse_npy_header({reinterpret_cast<const char*>(bytes.data()) + begin, length}, name);
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
