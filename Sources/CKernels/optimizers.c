#include "CKernels.h"
#include "clones.h"

#include <math.h>

// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", with the bias corrections and
// the place of epsilon that PyTorch's AdamW has.
FK_CLONES void fk_adamw_step(float *restrict parameters, const float *restrict gradient,
                             float *restrict mean, float *restrict square, size_t count,
                             const fk_adamw *options) {
  const float b1 = options->beta1, b2 = options->beta2, epsilon = options->epsilon;
  const float keep = 1.0f - options->learningRate * options->weightDecay;
  const float step = options->learningRate / options->correction1;
  const float root = sqrtf(options->correction2);
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i];
    const float m = b1 * mean[i] + (1.0f - b1) * g;
    const float v = b2 * square[i] + (1.0f - b2) * g * g;
    mean[i] = m;
    square[i] = v;
    parameters[i] = parameters[i] * keep - step * m / (sqrtf(v) / root + epsilon);
  }
}

FK_CLONES void fk_sgd_step(float *restrict parameters, const float *restrict gradient,
                           float *restrict velocity, size_t count, float learningRate, float momentum,
                           float weightDecay) {
  for (size_t i = 0; i < count; i++) {
    const float v = momentum * velocity[i] + gradient[i] + weightDecay * parameters[i];
    velocity[i] = v;
    parameters[i] -= learningRate * v;
  }
}
