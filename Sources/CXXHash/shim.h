#pragma once
#include <xxhash.h>

// Debian's and Ubuntu's library picks AVX2 or AVX-512 at run time under names of its own, which halves the time
// of a hash. A library without them, as on other processors, leaves these null.
#if defined(__x86_64__)
XXH64_hash_t XXH3_64bits_withSeed_dispatch(const void *bytes, size_t count, XXH64_hash_t seed) __attribute__((weak));
XXH128_hash_t XXH3_128bits_withSeed_dispatch(const void *bytes, size_t count, XXH64_hash_t seed) __attribute__((weak));
XXH_errorcode XXH3_128bits_update_dispatch(XXH3_state_t *state, const void *bytes, size_t count) __attribute__((weak));
#define DAYBOOK_FASTEST(name) (name##_dispatch ? name##_dispatch : name)
#else
#define DAYBOOK_FASTEST(name) name
#endif

static inline XXH64_hash_t daybook_xxh3(const void *bytes, size_t count, XXH64_hash_t seed) {
    return DAYBOOK_FASTEST(XXH3_64bits_withSeed)(bytes, count, seed);
}

static inline XXH128_hash_t daybook_xxh3_wide(const void *bytes, size_t count, XXH64_hash_t seed) {
    return DAYBOOK_FASTEST(XXH3_128bits_withSeed)(bytes, count, seed);
}

static inline void daybook_xxh3_wide_update(XXH3_state_t *state, const void *bytes, size_t count) {
    DAYBOOK_FASTEST(XXH3_128bits_update)(state, bytes, count);
}
