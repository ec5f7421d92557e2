#include <xxhash.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "io/section_file.hpp"
#include "io/section_format.hpp"

namespace medretrieval::io {

using namespace section_format;

struct SectionWriter::Hashers {
  XXH3_state_t block;
  XXH3_state_t section;
};

SectionWriter::SectionWriter(ByteSink& sink, std::size_t section_count)
    : sink_(sink),
      data_offset_(aligned(kHeaderBytes + section_count * kEntryBytes)),
      position_(data_offset_),
      expected_sections_(section_count),
      hashers_(std::make_shared<Hashers>()) {
  if (section_count > kMaxSections) throw std::logic_error("too many sections");
  XXH3_64bits_reset(&hashers_->block);
  sink_.append(std::vector<std::byte>(data_offset_));
}

void SectionWriter::begin_section(SectionKey key) {
  pad();
  entries_.push_back({key, position_, 0, 0});
  XXH3_64bits_reset(&hashers_->section);
}

void SectionWriter::append(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&hashers_->section, bytes.data(), bytes.size());
  entries_.back().bytes += bytes.size();
  write_data(bytes);
}

void SectionWriter::end_section() {
  entries_.back().checksum = XXH3_64bits_digest(&hashers_->section);
}

void SectionWriter::write_data(std::span<const std::byte> bytes) {
  sink_.append(bytes);
  position_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kBlockBytes - in_block_);
    XXH3_64bits_update(&hashers_->block, bytes.data(), taken);
    in_block_ += taken;
    bytes = bytes.subspan(taken);
    if (in_block_ == kBlockBytes) {
      block_checksums_.push_back(XXH3_64bits_digest(&hashers_->block));
      XXH3_64bits_reset(&hashers_->block);
      in_block_ = 0;
    }
  }
}

void SectionWriter::pad() {
  constexpr std::array<std::byte, kAlignment> kZeros = {};
  write_data(std::span(kZeros).first(aligned(position_) - position_));
}

Fingerprint SectionWriter::finish() {
  if (entries_.size() != expected_sections_)
    throw std::logic_error("another number of sections than announced");
  pad();
  if (in_block_ != 0) block_checksums_.push_back(XXH3_64bits_digest(&hashers_->block));
  std::vector<std::byte> head(data_offset_);
  std::copy_n(reinterpret_cast<const std::byte*>(kMagic), sizeof kMagic, head.data());
  store(head.data() + 8, kVersion);
  store(head.data() + 12, static_cast<std::uint32_t>(entries_.size()));
  store<std::uint64_t>(head.data() + 16, data_offset_);
  store<std::uint64_t>(head.data() + 24, position_);
  store<std::uint64_t>(head.data() + 32, position_ + block_checksums_.size() * 8 + kFooterBytes);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::byte* entry = head.data() + kHeaderBytes + i * kEntryBytes;
    store(entry, entries_[i].key.kind);
    store(entry + 4, entries_[i].key.column);
    store(entry + 8, entries_[i].offset);
    store(entry + 16, entries_[i].bytes);
    store(entry + 24, entries_[i].checksum);
  }
  XXH3_state_t whole;
  XXH3_128bits_reset(&whole);
  XXH3_128bits_update(&whole, head.data(), head.size());
  XXH3_128bits_update(&whole, block_checksums_.data(), block_checksums_.size() * 8);
  const XXH128_hash_t hash = XXH3_128bits_digest(&whole);
  std::array<std::byte, kFooterBytes> footer;
  store<std::uint64_t>(footer.data(), hash.low64);
  store<std::uint64_t>(footer.data() + 8, hash.high64);
  sink_.append(std::as_bytes(std::span(block_checksums_)));
  sink_.append(footer);
  sink_.patch(0, head);
  return {hash.high64, hash.low64};
}

}  // namespace medretrieval::io
