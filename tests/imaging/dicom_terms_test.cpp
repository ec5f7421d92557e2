#include "imaging/datasets/dicom_terms.hpp"

#include <gtest/gtest.h>

namespace medretrieval::imaging::datasets {
namespace {

TEST(DicomTerms, KnownOnesAndNothingElse) {
  for (const char* term : {"CT", "MG", "SEG", "RTDOSE", "VF", "ANN"}) EXPECT_TRUE(is_modality(term)) << term;
  for (const char* term : {"", "ct", "CT ", "SMITH", "C"}) EXPECT_FALSE(is_modality(term)) << term;
  for (const char* term : {"CHEST", "WHOLEBODY", "WHOLE BODY"}) EXPECT_TRUE(is_body_part(term)) << term;
  for (const char* term : {"", "MUELLER ANNA", "CHESTX"}) EXPECT_FALSE(is_body_part(term)) << term;
  for (const char* term : {"R", "L", "U", "B"}) EXPECT_TRUE(is_laterality(term)) << term;
  for (const char* term : {"", "RL", "X"}) EXPECT_FALSE(is_laterality(term)) << term;
  for (const char* term : {"AP", "PA", "RLD", "LATERAL", "MLO"}) EXPECT_TRUE(is_view_position(term)) << term;
  for (const char* term : {"", "DOB 19500101", "APPA"}) EXPECT_FALSE(is_view_position(term)) << term;
}

}  // namespace
}  // namespace medretrieval::imaging::datasets
