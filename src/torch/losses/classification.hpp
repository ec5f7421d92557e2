// The loss of a classifier, with weights against imbalance.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep {

/// With one label a row: cross-entropy after softmax, the mean over rows weighted by the weights of their
/// labels; rows without a label do not count. With several: binary cross-entropy after sigmoid, the mean over
/// rows and classes, where a present label counts with its class's weight; here a row without a label is an
/// example of no class.
/// \param logits rows x classes
/// \param labels rows x classes, 0 or 1, of the dtype of `logits`
/// \param class_weights one a class, or undefined: all 1
/// \return a scalar; 0 (with a gradient of 0) where no row counts
::torch::Tensor classification_loss(const ::torch::Tensor& logits, const ::torch::Tensor& labels,
                                    bool several_labels, const ::torch::Tensor& class_weights = {});

/// Weights by inverse frequency, of the dtype of `labels`. With one label a row: labelled rows / (classes *
/// rows of the class), so that every class that has rows has the same sum; with several: rows
/// without the label / rows with it, so that both sides have the same sum. Within 1 / largest to largest; 1
/// for a class without rows.
/// \param labels of all training rows: rows x classes, 0 or 1
::torch::Tensor class_weights(const ::torch::Tensor& labels, bool several_labels, double largest = 10);

}  // namespace medretrieval::deep
