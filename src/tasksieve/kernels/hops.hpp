// The hops over ragged memories, with their first and second derivatives, one example at a time.
//
// With M the memories of an example (one row each), N their log counts, u the state and H the transform, a hop does
//
//     P = softmax(M u + N),   o = P' M,   u' = o + u H      (or u' = u + o H, if H is applied to what was attended to)
//
// First derivative: for cotangents, with g that of u', o' that of o (g, or g H') and r = o' . o,
//
//     G = P (M o' - r),   u <- g H' + G M,   M += P' o' + G' u,   H += u' g      (u <- g + G M, H += o' g)
//
// Second derivative: both passes differentiated in a direction (Pearlmutter, 1994), first the hops forward, then the
// cotangents backward from zero. Names led by d_ are derivatives in the direction.

#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>

#include "exponential.hpp"
#include "row.hpp"

using real = REAL;
using index_t = int64_t;
constexpr int D = DIM;
using R = Row<real, D>;
using Buffer = std::unique_ptr<real[]>;

inline Buffer room(index_t numbers) { return Buffer(new real[numbers > 0 ? numbers : 1]); }

inline Buffer zeros(index_t numbers) { return Buffer(new real[numbers > 0 ? numbers : 1]()); }

inline R row(const real *rows, index_t number) { return R::load(rows + number * D); }

inline void add_to(real *rows, index_t number, const R &other) {
    R sum = row(rows, number);
    sum.add(other);
    sum.store(rows + number * D);
}

// left H
inline R product(const R &left, const real *matrix) {
    real each[D];
    left.store(each);
    R total = R::zero();
    for (int i = 0; i < D; ++i) total.add(row(matrix, i), each[i]);
    return total;
}

// left H'
inline R transposed_product(const R &left, const real *matrix) {
    real each[D];
    for (int i = 0; i < D; ++i) each[i] = left.dot(row(matrix, i));
    return R::load(each);
}

// matrix += left' right
inline void add_outer(real *matrix, const R &left, const R &right) {
    real each[D];
    left.store(each);
    for (int i = 0; i < D; ++i) {
        R sum = row(matrix, i);
        sum.add(right, each[i]);
        sum.store(matrix + i * D);
    }
}

// How many of what a batch has, and where each example's entries (its memories) stand.
struct Shape {
    index_t hops, batch, entries;
    bool transforms_state;
    const index_t *offsets, *counts;  // counts: how often an entry is a memory
};

// M, H, u of all hops (the first is the query), P and o.
struct HopsForward {
    Buffer memories, transform, states, attention, attended;

    explicit HopsForward(const Shape &s)
        : memories(room(s.entries * D)), transform(room(D * D)), states(room((s.hops + 1) * s.batch * D)),
          attention(room(s.hops * s.entries)), attended(room(s.hops * s.batch * D)) {}

    // memories, transform and the first states are filled in before
    void run(const Shape &s) {
        for (index_t b = 0; b < s.batch; ++b) {
            const index_t first = s.offsets[b], last = s.offsets[b + 1];
            R u = row(states.get(), b);
            for (index_t h = 0; h < s.hops; ++h) {
                real *p = attention.get() + h * s.entries;
                real highest = -std::numeric_limits<real>::infinity();
                for (index_t j = first; j < last; ++j) {
                    p[j] = u.dot(row(memories.get(), j));
                    if (s.counts[j] > 1) p[j] += std::log(real(s.counts[j]));
                    if (!(p[j] <= highest)) highest = p[j];
                }
                const real total = exponentials(p + first, last - first, highest);
                R o = R::zero();
                for (index_t j = first; j < last; ++j) {
                    p[j] /= total;
                    o.add(row(memories.get(), j), p[j]);
                }
                o.store(attended.get() + (h * s.batch + b) * D);
                R next = product(s.transforms_state ? u : o, transform.get());
                next.add(s.transforms_state ? o : u);
                next.store(states.get() + ((h + 1) * s.batch + b) * D);
                u = next;
            }
        }
    }

    const real *last_states(const Shape &s) const { return states.get() + s.hops * s.batch * D; }
};

// The cotangent of each hop's end, and the centred scores.
struct HopsBackward {
    Buffer cotangents, centred;

    explicit HopsBackward(const Shape &s)
        : cotangents(room(s.hops * s.batch * D)), centred(room(s.hops * s.entries)) {}

    // Adds to of_memories and of_transform, writes of_queries.
    void run(const Shape &s, const HopsForward &f, const real *gradient, real *of_memories, real *of_transform,
             real *of_queries) {
        for (index_t b = 0; b < s.batch; ++b) {
            R g = row(gradient, b);
            for (index_t h = s.hops; h-- > 0;) {
                const index_t at = h * s.batch + b;
                const R u = row(f.states.get(), at), o = row(f.attended.get(), at);
                const real *p = f.attention.get() + h * s.entries;
                real *c = centred.get() + h * s.entries;
                g.store(cotangents.get() + at * D);
                add_outer(of_transform, s.transforms_state ? u : o, g);
                const R turned = transposed_product(g, f.transform.get());
                const R of_o = s.transforms_state ? g : turned;
                R of_u = s.transforms_state ? turned : g;
                const real mean = of_o.dot(o);
                for (index_t j = s.offsets[b]; j < s.offsets[b + 1]; ++j) {
                    const R m = row(f.memories.get(), j);
                    c[j] = of_o.dot(m) - mean;
                    const real of_score = p[j] * c[j];
                    R of_m = row(of_memories, j);
                    of_m.add(of_o, p[j]);
                    of_m.add(u, of_score);
                    of_m.store(of_memories + j * D);
                    of_u.add(m, of_score);
                }
                g = of_u;
            }
            g.store(of_queries + b * D);
        }
    }
};

// Both passes in a direction: d_M, d_H, d_u of all hops, d_P and d_o.
struct HopsTangent {
    Buffer d_memories, d_transform, d_states, d_attention, d_attended;

    explicit HopsTangent(const Shape &s)
        : d_memories(room(s.entries * D)), d_transform(room(D * D)), d_states(room((s.hops + 1) * s.batch * D)),
          d_attention(room(s.hops * s.entries)), d_attended(room(s.hops * s.batch * D)) {}

    // d_memories, d_transform and the first d_states are filled in before
    void forward(const Shape &s, const HopsForward &f) {
        for (index_t b = 0; b < s.batch; ++b) {
            const index_t first = s.offsets[b], last = s.offsets[b + 1];
            R d_u = row(d_states.get(), b);
            for (index_t h = 0; h < s.hops; ++h) {
                const index_t at = h * s.batch + b;
                const R u = row(f.states.get(), at);
                const real *p = f.attention.get() + h * s.entries;
                real *d_p = d_attention.get() + h * s.entries;
                real mean = 0;
                for (index_t j = first; j < last; ++j) {
                    d_p[j] = d_u.dot(row(f.memories.get(), j)) + u.dot(row(d_memories.get(), j));
                    mean += p[j] * d_p[j];
                }
                R d_o = R::zero();
                for (index_t j = first; j < last; ++j) {
                    d_p[j] = p[j] * (d_p[j] - mean);
                    d_o.add(row(f.memories.get(), j), d_p[j]);
                    d_o.add(row(d_memories.get(), j), p[j]);
                }
                d_o.store(d_attended.get() + at * D);
                R next = product(s.transforms_state ? d_u : d_o, f.transform.get());
                next.add(product(s.transforms_state ? u : row(f.attended.get(), at), d_transform.get()));
                next.add(s.transforms_state ? d_o : d_u);
                next.store(d_states.get() + (at + s.batch) * D);
                d_u = next;
            }
        }
    }

    const real *last_states(const Shape &s) const { return d_states.get() + s.hops * s.batch * D; }

    // From the derivative of the gradient that the backward pass began with. Adds to of_memories and of_transform,
    // writes of_queries.
    void backward(const Shape &s, const HopsForward &f, const HopsBackward &back, const real *d_gradient,
                  real *of_memories, real *of_transform, real *of_queries) const {
        for (index_t b = 0; b < s.batch; ++b) {
            R d_g = row(d_gradient, b);
            for (index_t h = s.hops; h-- > 0;) {
                const index_t at = h * s.batch + b;
                const R u = row(f.states.get(), at), o = row(f.attended.get(), at);
                const R g = row(back.cotangents.get(), at);
                const R d_u = row(d_states.get(), at), d_o = row(d_attended.get(), at);
                const real *p = f.attention.get() + h * s.entries, *c = back.centred.get() + h * s.entries;
                const real *d_p = d_attention.get() + h * s.entries;
                add_outer(of_transform, s.transforms_state ? d_u : d_o, g);
                add_outer(of_transform, s.transforms_state ? u : o, d_g);
                R d_turned = transposed_product(d_g, f.transform.get());
                d_turned.add(transposed_product(g, d_transform.get()));
                const R of_o = s.transforms_state ? g : transposed_product(g, f.transform.get());
                const R d_of_o = s.transforms_state ? d_g : d_turned;
                R d_of_u = s.transforms_state ? d_turned : d_g;
                const real mean = d_of_o.dot(o) + of_o.dot(d_o);
                for (index_t j = s.offsets[b]; j < s.offsets[b + 1]; ++j) {
                    const R m = row(f.memories.get(), j), d_m = row(d_memories.get(), j);
                    const real d_c = d_of_o.dot(m) + of_o.dot(d_m) - mean;
                    const real of_score = p[j] * c[j], d_of_score = d_p[j] * c[j] + p[j] * d_c;
                    R of_m = row(of_memories, j);
                    of_m.add(of_o, d_p[j]);
                    of_m.add(d_of_o, p[j]);
                    of_m.add(u, d_of_score);
                    of_m.add(d_u, of_score);
                    of_m.store(of_memories + j * D);
                    d_of_u.add(m, d_of_score);
                    d_of_u.add(d_m, of_score);
                }
                d_g = d_of_u;
            }
            d_g.store(of_queries + b * D);
        }
    }
};
