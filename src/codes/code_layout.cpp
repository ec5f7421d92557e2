#include <medretrieval/codes.hpp>

#include "base/concat.hpp"

namespace medretrieval {

using detail::fail;

CodeLayout CodeLayout::binary(std::size_t bits) {
  if (bits == 0 || bits > kMaxBits) {
    fail(ErrorCode::invalid_argument, "a binary code has 1 to ", kMaxBits, " bits, got ", bits);
  }
  return {CodeKind::binary, bits, 1};
}

CodeLayout CodeLayout::product(std::size_t subspaces, std::size_t bits_per_entry) {
  if (subspaces == 0 || subspaces > kMaxSubspaces) {
    fail(ErrorCode::invalid_argument, "a product code has 1 to ", kMaxSubspaces, " subspaces, got ",
         subspaces);
  }
  if (bits_per_entry != 4 && bits_per_entry != 8) {
    fail(ErrorCode::invalid_argument, "a product code has 4 or 8 bits for each subspace, got ",
         bits_per_entry);
  }
  return {CodeKind::product, subspaces, bits_per_entry};
}

std::size_t CodeLayout::block_bytes() const noexcept {
  if (kind_ == CodeKind::binary) return has_32_bit_words() ? kBlockRows * 4 : words() * kBlockRows * 8;
  return row_bytes() * kBlockRows;
}

std::string CodeLayout::to_string() const {
  return kind_ == CodeKind::binary ? detail::concat("binary(", bits(), ")")
                                   : detail::concat("product(", entries_, " x ", entry_bits_, " bits)");
}

}  // namespace medretrieval
