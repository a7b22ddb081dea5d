// exp of many numbers at once, to within a few units in the last place, for numbers that are not positive: those of a
// softmax after its maximum was taken off. Below the smallest normal number the result is about that number; NaN stays.

#pragma once

#include <cstdint>
#include <cstring>

#include "row.hpp"

template <typename T> struct Format;
template <> struct Format<float> {
    using integer = int32_t;
    static constexpr int bits = 23, bias = 127, terms = 7;
    static constexpr float lowest = -87.0f, high = 0.693359375f, low = -2.12194440e-4f;
};
template <> struct Format<double> {
    using integer = int64_t;
    static constexpr int bits = 52, bias = 1023, terms = 13;
    static constexpr double lowest = -708.0, high = 6.93145751953125e-1, low = 1.42860682030941723212e-6;
};

// With x = n ln 2 + r: 2^n times the Taylor polynomial of e^r, where |r| <= ln 2 / 2; high + low is ln 2.
template <typename T> inline typename Lanes<T, 16>::type exponential(const typename Lanes<T, 16>::type &given) {
    using F = Format<T>;
    using Whole = typename Lanes<typename F::integer, 16>::type;
    using Numbers = typename Lanes<T, 16>::type;
    const Numbers x = given < F::lowest ? Numbers{} + F::lowest : given;
    const Whole n = __builtin_convertvector(x * T(1.44269504088896340736) - T(0.5), Whole);
    const Numbers whole = __builtin_convertvector(n, Numbers);
    const Numbers r = (x - whole * F::high) - whole * F::low;
    Numbers sum = Numbers{} + T(1);
    for (int k = F::terms; k >= 1; --k) sum = sum * r * (T(1) / T(k)) + T(1);
    const Whole exponent = (n + F::bias) << F::bits;
    Numbers scale;
    std::memcpy(&scale, &exponent, sizeof scale);
    return sum * scale;
}

// values[i] = exp(values[i] - highest); returns their sum
template <typename T> inline T exponentials(T *values, int64_t count, T highest) {
    T total = 0;
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        typename Lanes<T, 16>::type lanes;
        std::memcpy(&lanes, values + i, sizeof lanes);
        lanes = exponential<T>(lanes - highest);
        std::memcpy(values + i, &lanes, sizeof lanes);
        total += sum_of<T, 16>(lanes);
    }
    if (i < count) {
        T rest[16] = {};
        typename Lanes<T, 16>::type lanes;
        std::memcpy(rest, values + i, (count - i) * sizeof(T));
        std::memcpy(&lanes, rest, sizeof lanes);
        lanes = exponential<T>(lanes - highest);
        std::memcpy(rest, &lanes, sizeof lanes);
        std::memcpy(values + i, rest, (count - i) * sizeof(T));
        for (int64_t k = 0; k < count - i; ++k) total += rest[k];
    }
    return total;
}
