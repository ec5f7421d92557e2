// Bytes to a DCMTK data set, with the limits that DCMTK does not set itself.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

class DcmFileFormat;

namespace medretrieval::imaging {

/// True when the file begins as PS3.10 wants it: 128 bytes for any use, then "DICM".
bool has_dicom_preamble(std::span<const std::uint8_t> head) noexcept;

/// True with a preamble, and without one when the first element is plausible.
bool looks_like_dicom(std::span<const std::uint8_t> head) noexcept;

/// The parsed file, all values in memory (nothing refers to `bytes` later).
/// \throws Error corrupt (not DICOM, cut, inconsistent), unsupported (a transfer syntax unknown to DCMTK, or
///        DCMTK without its data dictionary), limit_exceeded (nested too deeply, too many elements, or a
///        deflated file that unfolds to more than most_unfolded_bytes() of it).
std::unique_ptr<DcmFileFormat> parse_dicom(std::span<const std::uint8_t> bytes);

/// Keeps DCMTK from writing to stderr. DCMTK's logger is one for the process: the level of its loggers below
/// "dcmtk" is set to off the first time this library reads or writes DICOM; an application that wants DCMTK's
/// messages sets it again afterwards.
void silence_dcmtk();

}  // namespace medretrieval::imaging
