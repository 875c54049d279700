#pragma once
#include <lz4.h>
#include <lz4frame.h>
#include <stdbool.h>

// Whoever checks the content does not have it checked by the library: its own hash takes longer than decoding. Before
// 1.9.4 it checks all the same.
static inline size_t daybook_lz4f_decompress(
    LZ4F_dctx *context, void *output, size_t *outputBytes, const void *input, size_t *inputBytes, bool checks) {
    LZ4F_decompressOptions_t options = {0};
#if LZ4_VERSION_NUMBER >= 10904
    options.skipChecksums = !checks;
#endif
    return LZ4F_decompress(context, output, outputBytes, input, inputBytes, &options);
}
