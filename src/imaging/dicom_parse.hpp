// Bytes to a DCMTK data set, with the limits that DCMTK does not set itself.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "imaging/file_bytes.hpp"

class DcmFileFormat;

namespace medretrieval::imaging {

/// The longest value that a header keeps. Longer ones are bulk data and passed over.
inline constexpr std::uint32_t kMaxHeaderValueBytes = 1 << 20;
/// Of what is read of a header, without what is passed over. Small elements take some 30 times their bytes.
inline constexpr std::size_t kMaxDicomHeaderBytes = std::size_t{1} << 24;

/// True when the file begins as PS3.10 wants it: 128 bytes for any use, then "DICM".
bool has_dicom_preamble(std::span<const std::uint8_t> head) noexcept;

/// True with a preamble, and without one when the first element is plausible.
bool looks_like_dicom(std::span<const std::uint8_t> head) noexcept;

/// The parsed file, all values in memory (nothing refers to `bytes` later).
/// \throws Error corrupt (not DICOM, cut, inconsistent, too many elements out of the order of their
///        tags), unsupported (a transfer syntax unknown to DCMTK, or DCMTK without its data dictionary), limit_exceeded (nested too deeply, too many elements, or a
///        deflated file that unfolds to more than most_unfolded_bytes() of it).
std::unique_ptr<DcmFileFormat> parse_dicom(std::span<const std::uint8_t> bytes);

/// What stands in a file before its pixel data.
struct ParsedHeader {
  std::unique_ptr<DcmFileFormat> content;
  bool has_pixels = false;  ///< pixel data with a value follow; float pixel data are none
};

/// Reads a file up to its pixel data. Values above kMaxHeaderValueBytes have a length but no content. A
/// deflated file is unfolded whole.
/// \throws Error as parse_dicom, corrupt where the header is cut or the file is shorter than the stated length
///        of its pixel data, limit_exceeded above kMaxDicomHeaderBytes.
ParsedHeader parse_dicom_header(const FileReader& file);

/// Keeps DCMTK from writing to stderr. DCMTK's logger is one for the process: the level of its loggers below
/// "dcmtk" is set to off the first time this library reads or writes DICOM; an application that wants DCMTK's
/// messages sets it again afterwards.
void silence_dcmtk();

}  // namespace medretrieval::imaging
