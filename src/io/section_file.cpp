#include "io/section_file.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>

#include "base/concat.hpp"
#include "io/section_format.hpp"

namespace medretrieval::io {

static_assert(std::endian::native == std::endian::little, "section files are mapped as they lie on disk");

using namespace section_format;
using detail::concat;

std::shared_ptr<const SectionFile> SectionFile::map(const std::filesystem::path& file) {
  std::shared_ptr<SectionFile> opened(new SectionFile());
  opened->name_ = file.string();
  opened->mapped_ = MappedFile(file);
  opened->bytes_ = opened->mapped_.bytes();
  opened->open();
  return opened;
}

std::shared_ptr<const SectionFile> SectionFile::from_memory(std::shared_ptr<const std::byte> bytes,
                                                            std::size_t size, std::string name) {
  std::shared_ptr<SectionFile> opened(new SectionFile());
  opened->name_ = std::move(name);
  opened->memory_ = std::move(bytes);
  opened->bytes_ = {opened->memory_.get(), size};
  opened->open();
  return opened;
}

void SectionFile::corrupt(const std::string& reason) const {
  detail::fail(ErrorCode::corrupt, name_, ": ", reason);
}

void SectionFile::open() {
  if (bytes_.size() < kHeaderBytes + kFooterBytes || std::memcmp(bytes_.data(), kMagic, sizeof kMagic) != 0) {
    corrupt(concat("expected a section file, got ", bytes_.size(), " bytes without its mark"));
  }
  const auto version = load<std::uint32_t>(bytes_.data() + 8);
  if (version != kVersion) {
    detail::fail(ErrorCode::unsupported, name_, ": this build reads container version ", kVersion, ", got ",
                 version);
  }
  const auto sections = load<std::uint32_t>(bytes_.data() + 12);
  const auto data_offset = load<std::uint64_t>(bytes_.data() + 16);
  const auto data_end = load<std::uint64_t>(bytes_.data() + 24);
  const auto length = load<std::uint64_t>(bytes_.data() + 32);
  if (length != bytes_.size()) corrupt(concat("expected ", length, " bytes, got ", bytes_.size()));
  const bool placed =
      sections <= kMaxSections && data_offset == aligned(kHeaderBytes + sections * kEntryBytes) &&
      data_offset <= data_end && data_end % kAlignment == 0 && data_end <= length - kFooterBytes;
  const std::size_t blocks = placed ? (data_end - data_offset + kBlockBytes - 1) / kBlockBytes : 0;
  if (!placed || length - kFooterBytes - data_end != blocks * 8)
    corrupt("the header's offsets do not fit together");
  data_ = bytes_.subspan(data_offset, data_end - data_offset);
  block_checksums_ = bytes_.subspan(data_end, blocks * 8);

  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, bytes_.data(), data_offset);
  XXH3_128bits_update(&state, block_checksums_.data(), block_checksums_.size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  const std::byte* footer = bytes_.data() + length - kFooterBytes;
  if (load<std::uint64_t>(footer) != hash.low64 || load<std::uint64_t>(footer + 8) != hash.high64) {
    corrupt("the checksum over header, section table and block checksums does not match");
  }
  checksum_ = {hash.high64, hash.low64};
  read_table(sections);
  checked_ = std::make_unique<std::atomic<bool>[]>(blocks);
  unchecked_ = blocks;
}

void SectionFile::read_table(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* entry = bytes_.data() + kHeaderBytes + i * kEntryBytes;
    const SectionKey key = {load<std::uint32_t>(entry), load<std::uint32_t>(entry + 4)};
    const auto offset = load<std::uint64_t>(entry + 8);
    const auto size = load<std::uint64_t>(entry + 16);
    const std::size_t begin = static_cast<std::size_t>(data_.data() - bytes_.data());
    if (offset < begin || offset % kAlignment != 0 || offset - begin > data_.size() ||
        size > data_.size() - (offset - begin)) {
      corrupt(concat("section ", key.kind, ".", key.column, " at ", offset, " of ", size,
                     " bytes lies outside the data"));
    }
    if (!sections_.emplace(key, Section{bytes_.subspan(offset, size), load<std::uint64_t>(entry + 24)})
             .second) {
      corrupt(concat("section ", key.kind, ".", key.column, " is there twice"));
    }
  }
}

std::span<const std::byte> SectionFile::raw(SectionKey key) const noexcept {
  const auto found = sections_.find(key);
  return found == sections_.end() ? std::span<const std::byte>() : found->second.bytes;
}

void SectionFile::check_block(std::size_t block) const {
  const auto bytes =
      data_.subspan(block * kBlockBytes, std::min(kBlockBytes, data_.size() - block * kBlockBytes));
  if (XXH3_64bits(bytes.data(), bytes.size()) != load<std::uint64_t>(block_checksums_.data() + block * 8)) {
    const auto offset = bytes.data() - bytes_.data();
    corrupt(concat("the bytes ", offset, " to ", offset + static_cast<std::ptrdiff_t>(bytes.size()) - 1,
                   " do not match their checksum"));
  }
  if (!checked_[block].exchange(true, std::memory_order_acq_rel))
    unchecked_.fetch_sub(1, std::memory_order_acq_rel);
}

void SectionFile::ensure(std::span<const std::byte> part) const {
  if (part.empty() || unchecked_.load(std::memory_order_acquire) == 0) return;
  const auto begin = static_cast<std::size_t>(part.data() - data_.data());
  for (std::size_t block = begin / kBlockBytes; block <= (begin + part.size() - 1) / kBlockBytes; ++block) {
    if (!checked_[block].load(std::memory_order_acquire)) check_block(block);
  }
}

void SectionFile::verify() const {
  for (std::size_t block = 0; block * kBlockBytes < data_.size(); ++block) check_block(block);
  for (const auto& [key, section] : sections_) {
    if (XXH3_64bits(section.bytes.data(), section.bytes.size()) != section.checksum) {
      corrupt(concat("section ", key.kind, ".", key.column, " does not match its checksum"));
    }
  }
}

}  // namespace medretrieval::io
