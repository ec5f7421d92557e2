#include <cstdlib>
#include <cstring>
#include <medretrieval/codes.hpp>
#include <new>

#include "base/concat.hpp"

namespace medretrieval {

namespace {

/// Where byte `i` of a packed row lies within its block, `row` counted within the block. Little-endian words
/// make byte i of a binary code byte i % word of word i / word.
std::size_t byte_offset(const CodeLayout& layout, std::size_t row, std::size_t i) noexcept {
  if (layout.kind() == CodeKind::product) return i * CodeLayout::kBlockRows + row;
  if (layout.has_32_bit_words()) return row * 4 + i;
  return (i / 8 * CodeLayout::kBlockRows + row) * 8 + i % 8;
}

/// Bits of the last packed byte that must be zero.
std::uint8_t unused_bits(const CodeLayout& layout) noexcept {
  const std::size_t used = layout.bits() % 8;
  return static_cast<std::uint8_t>(used == 0 ? 0U : 0xffU << used);
}

}  // namespace

void CodesView::get_row(std::size_t r, std::uint8_t* out) const noexcept {
  const std::uint8_t* from = block(r / CodeLayout::kBlockRows);
  for (std::size_t i = 0; i < layout_.row_bytes(); ++i) {
    out[i] = from[byte_offset(layout_, r % CodeLayout::kBlockRows, i)];
  }
}

void Codes::AlignedDelete::operator()(std::uint8_t* memory) const noexcept {
  std::free(memory);
}

Codes::Codes(const CodeLayout& layout, std::size_t rows) : layout_(layout), rows_(rows) {
  if (rows > kMaxRows)
    detail::fail(ErrorCode::limit_exceeded, "codes hold up to ", kMaxRows, " rows, got ", rows);
  const std::size_t bytes = CodeLayout::blocks_for(rows) * layout.block_bytes();
  if (bytes == 0) return;
  blocks_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(64, bytes)));
  if (!blocks_) throw std::bad_alloc();
  std::memset(blocks_.get(), 0, bytes);
}

Codes Codes::from_rows(const CodeLayout& layout, std::size_t rows, std::span<const std::uint8_t> packed) {
  const std::size_t row_bytes = layout.row_bytes();
  if (packed.size() % row_bytes != 0 || packed.size() / row_bytes != rows) {
    detail::fail(ErrorCode::invalid_argument, "codes: expected ", rows, " rows of ", row_bytes, " bytes for ",
                 layout.to_string(), ", got ", packed.size(), " bytes");
  }
  Codes codes(layout, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::uint8_t* row = packed.data() + r * row_bytes;
    if ((row[row_bytes - 1] & unused_bits(layout)) != 0) {
      detail::fail(ErrorCode::invalid_argument, "codes: row ", r, " has a bit set beyond the ", layout.bits(),
                   " of ", layout.to_string());
    }
    codes.set_row(r, row);
  }
  return codes;
}

void Codes::set_row(std::size_t r, const std::uint8_t* packed) noexcept {
  std::uint8_t* to = blocks_.get() + r / CodeLayout::kBlockRows * layout_.block_bytes();
  for (std::size_t i = 0; i < layout_.row_bytes(); ++i) {
    to[byte_offset(layout_, r % CodeLayout::kBlockRows, i)] = packed[i];
  }
}

}  // namespace medretrieval
