// EXPECT_ERROR(statement, code, fragment): throws Error of that code whose message contains the fragment.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <medretrieval/error.hpp>

#define EXPECT_ERROR(statement, expected_code, fragment)                             \
  do {                                                                               \
    try {                                                                            \
      statement;                                                                     \
      ADD_FAILURE() << "expected an Error from: " #statement;                        \
    } catch (const ::medretrieval::Error& error) {                                   \
      EXPECT_EQ(::medretrieval::to_string(error.code()),                             \
                ::medretrieval::to_string(::medretrieval::ErrorCode::expected_code)) \
          << error.what();                                                           \
      EXPECT_THAT(error.what(), ::testing::HasSubstr(fragment));                     \
    }                                                                                \
  } while (false)
