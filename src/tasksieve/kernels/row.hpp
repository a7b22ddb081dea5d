// A row of N numbers held in vector registers. Written with the vector types that GCC and Clang share, since a plain
// loop over a row inside a loop over memories is easily vectorised the wrong way round.

#pragma once

#include <cstring>

template <typename T, int W> struct Lanes {
    typedef T type __attribute__((vector_size(W * sizeof(T))));
};

// Sixteen numbers, wherever they begin.
template <typename T> inline typename Lanes<T, 16>::type lane(const T *from) {
    typename Lanes<T, 16>::type values;
    std::memcpy(&values, from, sizeof values);
    return values;
}

template <typename T> inline void put(T *to, const typename Lanes<T, 16>::type &values) {
    std::memcpy(to, &values, sizeof values);
}

template <typename T, int W> inline T sum_of(const typename Lanes<T, W>::type &lanes) {
    if constexpr (W == 1) {
        return lanes[0];
    } else {
        typename Lanes<T, W / 2>::type low, high;
        std::memcpy(&low, &lanes, sizeof low);
        std::memcpy(&high, reinterpret_cast<const char *>(&lanes) + sizeof low, sizeof high);
        return sum_of<T, W / 2>(low + high);
    }
}

// The halves added up until four lanes are left.
template <typename T, int W> inline typename Lanes<T, 4>::type four_of(const typename Lanes<T, W>::type &lanes) {
    if constexpr (W == 4) {
        return lanes;
    } else {
        typename Lanes<T, W / 2>::type low, high;
        std::memcpy(&low, &lanes, sizeof low);
        std::memcpy(&high, reinterpret_cast<const char *>(&lanes) + sizeof low, sizeof high);
        return four_of<T, W / 2>(low + high);
    }
}

template <typename T, int N> struct Row {
    static constexpr int W = N >= 16 ? 16 : N >= 8 ? 8 : N >= 4 ? 4 : 1;
    typename Lanes<T, W>::type head;
    Row<T, N - W> tail;

    static inline Row zero() { return {typename Lanes<T, W>::type{}, Row<T, N - W>::zero()}; }

    static inline Row load(const T *from) {
        Row row;
        std::memcpy(&row.head, from, sizeof row.head);
        row.tail = Row<T, N - W>::load(from + W);
        return row;
    }

    inline void store(T *to) const {
        std::memcpy(to, &head, sizeof head);
        tail.store(to + W);
    }

    inline void add(const Row &other) {
        head += other.head;
        tail.add(other.tail);
    }

    inline void add(const Row &other, T factor) {
        head += other.head * factor;
        tail.add(other.tail, factor);
    }

    inline T dot(const Row &other) const {
        if constexpr (N < 4) return rest(other);
        return sum_of<T, 4>(fours(other)) + rest(other);
    }

    // The product of all but what is left over by four, in four lanes; and of what is left over.
    inline typename Lanes<T, 4>::type fours(const Row &other) const {
        if constexpr (W == 1) return typename Lanes<T, 4>::type{};
        else return four_of<T, W>(head * other.head) + tail.fours(other.tail);
    }

    inline T rest(const Row &other) const {
        if constexpr (W == 1) return head[0] * other.head[0] + tail.rest(other.tail);
        else return tail.rest(other.tail);
    }
};

template <typename T> struct Row<T, 0> {
    static inline Row zero() { return {}; }
    static inline Row load(const T *) { return {}; }
    inline void store(T *) const {}
    inline void add(const Row &) {}
    inline void add(const Row &, T) {}
    inline typename Lanes<T, 4>::type fours(const Row &) const { return typename Lanes<T, 4>::type{}; }
    inline T rest(const Row &) const { return 0; }
};
