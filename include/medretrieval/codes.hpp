/// \file
/// Packed codes of one layout, stored in the blocks that the scan kernels read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <medretrieval/error.hpp>

namespace medretrieval {

/// What a code consists of.
enum class CodeKind : std::uint32_t {
  binary = 1,   ///< bits; distance: Hamming
  product = 2,  ///< one centroid number for each of M subspaces; distance: sum of M table entries (ADC)
};

/// The shape of a code. Two code arrays can be compared only when their layouts are equal.
///
/// Codes lie in blocks of 64 rows, the last block padded with zeros:
/// - binary of up to 32 bits: one 32-bit word for each row;
/// - binary above: word w of all 64 rows, then word w + 1 (64-bit words; bit i of a code is bit
///   i % 64 of word i / 64);
/// - product with 8 bits: entry m of all 64 rows as bytes, then entry m + 1;
/// - product with 4 bits: bytes holding the entries 2 p (low half) and 2 p + 1 (high half) of all 64
///   rows, then p + 1.
/// Every unused bit is zero.
class CodeLayout {
 public:
  /// \param bits 1 to kMaxBits
  static CodeLayout binary(std::size_t bits);
  /// \param subspaces 1 to kMaxSubspaces
  /// \param bits_per_entry 4 or 8
  static CodeLayout product(std::size_t subspaces, std::size_t bits_per_entry);

  static constexpr std::size_t kMaxBits = 65536;
  static constexpr std::size_t kMaxSubspaces = 4096;
  static constexpr std::size_t kBlockRows = 64;

  CodeKind kind() const noexcept { return kind_; }
  /// Bits of a code that carry information: the width of a binary code, or subspaces * bits_per_entry.
  std::size_t bits() const noexcept { return entries_ * entry_bits_; }
  std::size_t subspaces() const noexcept { return kind_ == CodeKind::product ? entries_ : 0; }
  std::size_t bits_per_entry() const noexcept { return entry_bits_; }

  /// Bytes of one packed row (see Codes::row_bytes): ceil(bits / 8).
  std::size_t row_bytes() const noexcept { return (bits() + 7) / 8; }
  /// Words of a binary code: 64-bit above 32 bits, else one 32-bit word.
  std::size_t words() const noexcept { return (bits() + 63) / 64; }
  bool has_32_bit_words() const noexcept { return kind_ == CodeKind::binary && bits() <= 32; }
  /// Bytes of a block of 64 rows, a multiple of 64.
  std::size_t block_bytes() const noexcept;
  static constexpr std::size_t blocks_for(std::size_t rows) noexcept {
    return (rows + kBlockRows - 1) / kBlockRows;
  }

  bool operator==(const CodeLayout&) const = default;
  /// For messages: "binary(64)" or "product(8 x 8 bits)".
  std::string to_string() const;

 private:
  CodeLayout(CodeKind kind, std::size_t entries, std::size_t entry_bits)
      : kind_(kind), entries_(entries), entry_bits_(entry_bits) {}

  CodeKind kind_;
  std::size_t entries_;     // bits of a binary code, else subspaces
  std::size_t entry_bits_;  // 1, 4 or 8
};

/// Codes that somebody else owns, for example a mapped file.
class CodesView {
 public:
  /// \param blocks aligned to 64 bytes, CodeLayout::blocks_for(rows) blocks
  CodesView(const CodeLayout& layout, const std::uint8_t* blocks, std::size_t rows)
      : layout_(layout), blocks_(blocks), rows_(rows) {}

  const CodeLayout& layout() const noexcept { return layout_; }
  std::size_t rows() const noexcept { return rows_; }
  const std::uint8_t* blocks() const noexcept { return blocks_; }
  const std::uint8_t* block(std::size_t b) const noexcept { return blocks_ + b * layout_.block_bytes(); }
  std::size_t size_bytes() const noexcept { return CodeLayout::blocks_for(rows_) * layout_.block_bytes(); }

  /// Copies row `r` in packed form to `out` (layout().row_bytes() bytes): bit i of a binary code is bit i % 8
  /// of byte i / 8; product entries of 8 bits are one byte each, of 4 bits two to a byte, the even one in the
  /// low half.
  void get_row(std::size_t r, std::uint8_t* out) const noexcept;

 private:
  CodeLayout layout_;
  const std::uint8_t* blocks_;
  std::size_t rows_;
};

/// An owning, fixed-size array of codes. Move-only. Rows may be written from several threads when each thread
/// writes other blocks of 64 rows.
class Codes {
 public:
  /// All bits zero.
  /// \throws Error (limit_exceeded) above kMaxRows.
  Codes(const CodeLayout& layout, std::size_t rows);
  /// From packed rows, `layout.row_bytes()` bytes each (see CodesView::get_row).
  /// \throws Error (invalid_argument) when the length is not rows * row_bytes or an unused bit is set.
  static Codes from_rows(const CodeLayout& layout, std::size_t rows, std::span<const std::uint8_t> packed);

  static constexpr std::size_t kMaxRows = 0xffffff00U;

  const CodeLayout& layout() const noexcept { return layout_; }
  std::size_t rows() const noexcept { return rows_; }
  CodesView view() const noexcept { return {layout_, blocks_.get(), rows_}; }
  operator CodesView() const noexcept { return view(); }

  /// The bytes of rows 64 b to 64 b + 63, for those who fill whole blocks; unused bits and rows stay zero.
  std::uint8_t* block(std::size_t b) noexcept { return blocks_.get() + b * layout_.block_bytes(); }
  /// Writes row `r` from its packed form; the caller keeps r below rows() and unused bits zero.
  void set_row(std::size_t r, const std::uint8_t* packed) noexcept;
  void get_row(std::size_t r, std::uint8_t* out) const noexcept { view().get_row(r, out); }

 private:
  struct AlignedDelete {
    void operator()(std::uint8_t* memory) const noexcept;
  };
  CodeLayout layout_;
  std::size_t rows_;
  std::unique_ptr<std::uint8_t[], AlignedDelete> blocks_;
};

}  // namespace medretrieval
