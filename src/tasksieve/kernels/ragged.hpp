// Cross-entropy over choices of which each example has its own, with its first and second derivatives: entities that
// a response may name, or responses given with an example. All is added to what is there.
//
// With state u of an example, the rows E of its choices (each the sum of its words in the candidates' embedding) and
// Y = softmax(E u), the loss is -log Y[r] for the right one, r. Examples without a right one have no such loss. The
// derivatives are those of candidates.hpp, example by example.

#pragma once

#include "hops.hpp"

// The words of the distinct choices; for each example those it chooses among, and the place of the right one, -1 for
// none. Without a pointer to the latter there is nothing to choose.
struct Ragged {
    const index_t *words, *word_offsets, *offered, *offsets, *right;

    inline bool chosen(index_t b) const { return right && right[b] >= 0; }

    inline index_t all(index_t batch) const { return right ? offsets[batch] : 0; }

    // Whether each example has a right one, or there is nothing to choose.
    inline bool answerable(index_t batch) const {
        for (index_t b = 0; right && b < batch; ++b)
            if (right[b] < 0 || right[b] >= offsets[b + 1] - offsets[b]) return false;
        return true;
    }

    inline R embed(index_t place, const real *embedding) const {
        R total = R::zero();
        const index_t choice = offered[place];
        for (index_t w = word_offsets[choice]; w < word_offsets[choice + 1]; ++w)
            total.add(row(embedding, words[w]));
        return total;
    }

    // The transpose.
    inline void spread(index_t place, const R &given, real *gradient) const {
        const index_t choice = offered[place];
        for (index_t w = word_offsets[choice]; w < word_offsets[choice + 1]; ++w)
            add_to(gradient, words[w], given);
    }
};

// E and Y.
struct RaggedForward {
    const Ragged ragged;
    Buffer rows, probabilities;

    RaggedForward(index_t batch, const Ragged &r)
        : ragged(r), rows(room(r.all(batch) * D)), probabilities(room(r.all(batch))) {}

    // Adds to the losses.
    void run(index_t batch, const real *states, const real *embedding, real *losses) {
        for (index_t b = 0; b < batch; ++b) {
            if (!ragged.chosen(b)) continue;
            const index_t first = ragged.offsets[b], count = ragged.offsets[b + 1] - first;
            const R state = row(states, b);
            real *y = probabilities.get() + first;
            real highest = -std::numeric_limits<real>::infinity();
            for (index_t o = 0; o < count; ++o) {
                const R mine = ragged.embed(first + o, embedding);
                mine.store(rows.get() + (first + o) * D);
                y[o] = mine.dot(state);
                if (!(y[o] <= highest)) highest = y[o];
            }
            const real right = y[ragged.right[b]];
            const real total = exponentials(y, count, highest);
            for (index_t o = 0; o < count; ++o) y[o] /= total;
            losses[b] += std::log(total) + (highest - right);
        }
    }

    // The rows in a direction.
    Buffer along(index_t batch, const real *d_embedding) const {
        Buffer d_rows = room(ragged.all(batch) * D);
        for (index_t b = 0; b < batch; ++b) {
            if (!ragged.chosen(b)) continue;
            for (index_t o = ragged.offsets[b]; o < ragged.offsets[b + 1]; ++o)
                ragged.embed(o, d_embedding).store(d_rows.get() + o * D);
        }
        return d_rows;
    }
};

// w and G = w (Y - 1_r).
struct RaggedBackward {
    Buffer weights, of_scores;

    RaggedBackward(index_t batch, const RaggedForward &f)
        : weights(room(batch)), of_scores(room(f.ragged.all(batch))) {}

    // Adds to of_states and of_embedding.
    void run(index_t batch, const RaggedForward &f, const real *states, const real *given, real *of_states,
             real *of_embedding) {
        const Ragged &ragged = f.ragged;
        for (index_t b = 0; b < batch; ++b) {
            if (!ragged.chosen(b)) continue;
            const real w = weights[b] = given[b];
            const R state = row(states, b);
            R of_state = row(of_states, b);
            for (index_t o = ragged.offsets[b]; o < ragged.offsets[b + 1]; ++o) {
                const bool right = o - ragged.offsets[b] == ragged.right[b];
                const real g = of_scores[o] = w * f.probabilities[o] - (right ? w : 0);
                of_state.add(row(f.rows.get(), o), g);
                R mine = R::zero();
                mine.add(state, g);
                ragged.spread(o, mine, of_embedding);
            }
            of_state.store(of_states + b * D);
        }
    }

    // In a direction: adds to the slopes, and, if of_embedding is not null, to the derivatives of what run added.
    void second(index_t batch, const RaggedForward &f, const real *states, const real *d_states, const real *d_rows,
                real *of_states, real *of_embedding, real *slopes) const {
        const Ragged &ragged = f.ragged;
        Buffer d_scores = room(ragged.all(batch));
        for (index_t b = 0; b < batch; ++b) {
            if (!ragged.chosen(b)) continue;
            const index_t first = ragged.offsets[b], last = ragged.offsets[b + 1];
            const R state = row(states, b), d_state = row(d_states, b);
            real total = 0;
            for (index_t o = first; o < last; ++o) {
                d_scores[o] = row(f.rows.get(), o).dot(d_state) + row(d_rows, o).dot(state);
                total += f.probabilities[o] * d_scores[o];
            }
            slopes[b] += total - d_scores[first + ragged.right[b]];
            if (!of_embedding) continue;
            R of_state = row(of_states, b);
            for (index_t o = first; o < last; ++o) {
                const real d = weights[b] * f.probabilities[o] * (d_scores[o] - total);
                of_state.add(row(f.rows.get(), o), d);
                of_state.add(row(d_rows, o), of_scores[o]);
                R mine = R::zero();
                mine.add(state, d);
                mine.add(d_state, of_scores[o]);
                ragged.spread(o, mine, of_embedding);
            }
            of_state.store(of_states + b * D);
        }
    }
};
