// Cross-entropy over candidates, with its first and second derivatives.
//
// With states u (batch x D), candidates C and Y = softmax(u C'), the loss of example i is -log Y[i, y_i]. Candidates are
// held as columns, in lanes of 16, so that every product runs along them; the last lanes are filled up with candidates
// of probability 0. The derivatives are those of tasksieve/models/memory_network/choice_losses.py.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "hops.hpp"

constexpr int W = 16;
using Lane = Lanes<real, W>::type;

inline index_t padded(index_t count) { return (count + W - 1) / W * W; }

// columns[k, c] = sum over the words of candidate c of embedding[word, k]
inline void embed_columns(index_t count, const index_t *words, const index_t *offsets, const real *embedding,
                          real *columns) {
    const index_t stride = padded(count);
    real tile[W][D];
    for (index_t first = 0; first < stride; first += W) {
        for (index_t c = first; c < first + W; ++c) {
            R total = R::zero();
            if (c < count)
                for (index_t w = offsets[c]; w < offsets[c + 1]; ++w) total.add(row(embedding, words[w]));
            total.store(tile[c - first]);
        }
        for (int k = 0; k < D; ++k)
            for (int c = 0; c < W; ++c) columns[k * stride + first + c] = tile[c][k];
    }
}

// The transpose: gradient[word] += column c for every word of candidate c.
inline void spread_columns(index_t count, const index_t *words, const index_t *offsets, const real *columns,
                           real *gradient) {
    const index_t stride = padded(count);
    real tile[W][D];
    for (index_t first = 0; first < count; first += W) {
        for (int k = 0; k < D; ++k)
            for (int c = 0; c < W; ++c) tile[c][k] = columns[k * stride + first + c];
        for (index_t c = first; c < first + W && c < count; ++c) {
            const R mine = R::load(tile[c - first]);
            for (index_t w = offsets[c]; w < offsets[c + 1]; ++w) add_to(gradient, words[w], mine);
        }
    }
}

// Several lanes held in registers: a recursive struct, since an array of them may end up in memory.
template <int N> struct Sums {
    Lane head;
    Sums<N - 1> tail;

    static inline Sums zero() { return {Lane{}, Sums<N - 1>::zero()}; }

    static inline Sums load(const real *from, index_t step) {
        return {lane(from), Sums<N - 1>::load(from + step, step)};
    }

    inline void store(real *to, index_t step) const {
        put(to, head);
        tail.store(to + step, step);
    }

    // each += values * lanes
    inline void add_lanes(const Lane &values, const real *lanes, index_t step) {
        head += values * lane(lanes);
        tail.add_lanes(values, lanes + step, step);
    }

    // each += values * number
    inline void add_scaled(const Lane &values, const real *numbers, index_t step) {
        head += values * *numbers;
        tail.add_scaled(values, numbers + step, step);
    }

    // the sum of each lane is added to a number
    inline void add_to(real *numbers) const {
        *numbers += sum_of<real, W>(head);
        tail.add_to(numbers + 1);
    }
};

template <> struct Sums<0> {
    static inline Sums zero() { return {}; }
    static inline Sums load(const real *, index_t) { return {}; }
    inline void store(real *, index_t) const {}
    inline void add_lanes(const Lane &, const real *, index_t) {}
    inline void add_scaled(const Lane &, const real *, index_t) {}
    inline void add_to(real *) const {}
};

// scores[i, c] (+)= states[i] . column c, for N examples
template <int N, bool ADD>
inline void score_some(index_t stride, const real *states, const real *columns, real *scores) {
    for (index_t c = 0; c < stride; c += W) {
        Sums<N> sums = ADD ? Sums<N>::load(scores + c, stride) : Sums<N>::zero();
        for (int k = 0; k < D; ++k) sums.add_scaled(lane(columns + k * stride + c), states + k, D);
        sums.store(scores + c, stride);
    }
}

template <bool ADD>
inline void score(index_t batch, index_t stride, const real *states, const real *columns, real *scores) {
    index_t b = 0;
    for (; b + 8 <= batch; b += 8) score_some<8, ADD>(stride, states + b * D, columns, scores + b * stride);
    for (; b < batch; ++b) score_some<1, ADD>(stride, states + b * D, columns, scores + b * stride);
}

// rows[k .. k + N] += sums over c of cells[c] column[k, c], for 4 examples or 1
template <int N>
inline void along_candidates_some(index_t stride, const real *cells, const real *columns, real *rows, bool four) {
    if (!four) {
        Sums<N> sums = Sums<N>::zero();
        for (index_t c = 0; c < stride; c += W) sums.add_lanes(lane(cells + c), columns + c, stride);
        sums.add_to(rows);
        return;
    }
    Sums<N> a = Sums<N>::zero(), b = a, c = a, d = a;
    for (index_t at = 0; at < stride; at += W) {
        a.add_lanes(lane(cells + at), columns + at, stride);
        b.add_lanes(lane(cells + stride + at), columns + at, stride);
        c.add_lanes(lane(cells + 2 * stride + at), columns + at, stride);
        d.add_lanes(lane(cells + 3 * stride + at), columns + at, stride);
    }
    a.add_to(rows);
    b.add_to(rows + D);
    c.add_to(rows + 2 * D);
    d.add_to(rows + 3 * D);
}

// rows[i, k] += sum over c of cells[i, c] column[k, c]
inline void along_candidates(index_t batch, index_t stride, const real *cells, const real *columns, real *rows) {
    constexpr int STEP = 5, REST = D % STEP;
    for (index_t b = 0; b < batch;) {
        const bool four = b + 4 <= batch;
        const real *mine = cells + b * stride;
        for (int k = 0; k + STEP <= D; k += STEP)
            along_candidates_some<STEP>(stride, mine, columns + k * stride, rows + b * D + k, four);
        if constexpr (REST > 0)
            along_candidates_some<REST>(stride, mine, columns + (D - REST) * stride, rows + b * D + D - REST, four);
        b += four ? 4 : 1;
    }
}

template <int N, bool ADD>
inline void along_examples_some(index_t batch, index_t stride, const real *cells, const real *rows, real *columns) {
    for (index_t c = 0; c < stride; c += W) {
        Sums<N> sums = ADD ? Sums<N>::load(columns + c, stride) : Sums<N>::zero();
        for (index_t b = 0; b < batch; ++b) sums.add_scaled(lane(cells + b * stride + c), rows + b * D, 1);
        sums.store(columns + c, stride);
    }
}

// columns[k, c] (+)= sum over i of cells[i, c] rows[i, k]
template <bool ADD>
inline void along_examples(index_t batch, index_t stride, const real *cells, const real *rows, real *columns) {
    constexpr int STEP = 20, REST = D % STEP;
    for (int k = 0; k + STEP <= D; k += STEP)
        along_examples_some<STEP, ADD>(batch, stride, cells, rows + k, columns + k * stride);
    if constexpr (REST > 0)
        along_examples_some<REST, ADD>(batch, stride, cells, rows + D - REST, columns + (D - REST) * stride);
}

// C as columns, and Y.
struct CandidatesForward {
    index_t count, stride;
    const index_t *words, *offsets, *targets;
    Buffer columns, probabilities;

    CandidatesForward(index_t batch, index_t n, const index_t *w, const index_t *o, const index_t *t)
        : count(n), stride(padded(n)), words(w), offsets(o), targets(t), columns(room(D * padded(n))),
          probabilities(room(batch * padded(n))) {}

    // Whether every target is a candidate.
    bool answerable(index_t batch) const {
        for (index_t b = 0; b < batch; ++b)
            if (targets[b] < 0 || targets[b] >= count) return false;
        return true;
    }

    void run(index_t batch, const real *states, const real *embedding, real *losses) {
        embed_columns(count, words, offsets, embedding, columns.get());
        score<false>(batch, stride, states, columns.get(), probabilities.get());
        for (index_t b = 0; b < batch; ++b) {
            real *y = probabilities.get() + b * stride;
            Lane high = Lane{} - std::numeric_limits<real>::infinity();
            for (index_t c = count; c < stride; ++c) y[c] = -std::numeric_limits<real>::infinity();
            for (index_t c = 0; c < stride; c += W) high = lane(y + c) <= high ? high : lane(y + c);
            real highest = high[0];
            for (int i = 1; i < W; ++i)
                if (!(high[i] <= highest)) highest = high[i];
            const real right = y[targets[b]];
            const real total = exponentials(y, stride, highest);
            for (index_t c = count; c < stride; ++c) y[c] = 0;
            const real share = 1 / total;
            for (index_t c = 0; c < stride; c += W) put(y + c, lane(y + c) * share);
            losses[b] = std::log(total) + (highest - right);
        }
    }
};

// w and G = w (Y - 1_y).
struct CandidatesBackward {
    Buffer weights, of_scores;

    CandidatesBackward(index_t batch, const CandidatesForward &f)
        : weights(room(batch)), of_scores(room(batch * f.stride)) {}

    // Writes of_states, adds to of_embedding.
    void run(index_t batch, const CandidatesForward &f, const real *states, const real *given, real *of_states,
             real *of_embedding) {
        for (index_t b = 0; b < batch; ++b) {
            const real w = weights[b] = given[b];
            real *g = of_scores.get() + b * f.stride;
            const real *y = f.probabilities.get() + b * f.stride;
            for (index_t c = 0; c < f.stride; c += W) put(g + c, lane(y + c) * w);
            g[f.targets[b]] -= w;
        }
        Buffer of_columns = room(D * f.stride);
        std::memset(of_states, 0, batch * D * sizeof(real));
        along_candidates(batch, f.stride, of_scores.get(), f.columns.get(), of_states);
        along_examples<false>(batch, f.stride, of_scores.get(), states, of_columns.get());
        spread_columns(f.count, f.words, f.offsets, of_columns.get(), of_embedding);
    }

    // In a direction: slopes of the losses. Keeps the candidates' and the scores' derivatives.
    void run_slopes(index_t batch, const CandidatesForward &f, const real *states, const real *d_states,
                    const real *d_embedding, real *d_columns, real *d_scores, real *slopes) const {
        embed_columns(f.count, f.words, f.offsets, d_embedding, d_columns);
        score<false>(batch, f.stride, d_states, f.columns.get(), d_scores);
        score<true>(batch, f.stride, states, d_columns, d_scores);
        for (index_t b = 0; b < batch; ++b) {
            const real *y = f.probabilities.get() + b * f.stride, *d = d_scores + b * f.stride;
            Lane sum = {};
            for (index_t c = 0; c < f.stride; c += W) sum += lane(y + c) * lane(d + c);
            slopes[b] = sum_of<real, W>(sum) - d[f.targets[b]];
        }
    }

    void slopes(index_t batch, const CandidatesForward &f, const real *states, const real *d_states,
                const real *d_embedding, real *found) const {
        Buffer d_columns = room(D * f.stride), d_scores = room(batch * f.stride);
        run_slopes(batch, f, states, d_states, d_embedding, d_columns.get(), d_scores.get(), found);
    }

    // In a direction. Writes of_states and slopes, adds to of_embedding.
    void second(index_t batch, const CandidatesForward &f, const real *states, const real *d_states,
                const real *d_embedding, real *of_states, real *of_embedding, real *found) const {
        Buffer d_columns = room(D * f.stride), cells = room(batch * f.stride);
        run_slopes(batch, f, states, d_states, d_embedding, d_columns.get(), cells.get(), found);
        for (index_t b = 0; b < batch; ++b) {
            const real *y = f.probabilities.get() + b * f.stride;
            real *d = cells.get() + b * f.stride;
            const real total = found[b] + d[f.targets[b]], w = weights[b];
            for (index_t c = 0; c < f.stride; c += W) put(d + c, lane(y + c) * (lane(d + c) - total) * w);
        }
        std::memset(of_states, 0, batch * D * sizeof(real));
        along_candidates(batch, f.stride, cells.get(), f.columns.get(), of_states);
        along_candidates(batch, f.stride, of_scores.get(), d_columns.get(), of_states);
        Buffer of_columns = room(D * f.stride);
        along_examples<false>(batch, f.stride, cells.get(), states, of_columns.get());
        along_examples<true>(batch, f.stride, of_scores.get(), d_states, of_columns.get());
        spread_columns(f.count, f.words, f.offsets, of_columns.get(), of_embedding);
    }
};
