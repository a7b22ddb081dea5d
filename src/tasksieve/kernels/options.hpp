// Cross-entropy over the entities that an example may name, with its first and second derivatives, added to the losses
// over candidates.
//
// With state u of an example, the rows E of the entities it may name (each the sum of its description's words in the
// candidates' embedding) and Y = softmax(E u), the loss is -log Y[r] for the right one, r. Examples whose response
// names none have no such loss. The derivatives are those of candidates, example by example.

#pragma once

#include "hops.hpp"

// The words of descriptions; for each example the descriptions it may choose among, and the right one, -1 for none.
// Without a pointer to the latter there is nothing to choose.
struct Options {
    const index_t *words, *word_offsets, *offered, *offsets, *right;

    inline bool chosen(index_t b) const { return right && right[b] >= 0; }

    inline index_t all(index_t batch) const { return right ? offsets[batch] : 0; }

    inline R embed(index_t option, const real *embedding) const {
        R total = R::zero();
        const index_t description = offered[option];
        for (index_t w = word_offsets[description]; w < word_offsets[description + 1]; ++w)
            total.add(row(embedding, words[w]));
        return total;
    }

    // The transpose.
    inline void spread(index_t option, const R &given, real *gradient) const {
        const index_t description = offered[option];
        for (index_t w = word_offsets[description]; w < word_offsets[description + 1]; ++w)
            add_to(gradient, words[w], given);
    }
};

// E and Y.
struct OptionsForward {
    const Options options;
    Buffer rows, probabilities;

    OptionsForward(index_t batch, const Options &o)
        : options(o), rows(room(o.all(batch) * D)), probabilities(room(o.all(batch))) {}

    // Adds to the losses.
    void run(index_t batch, const real *states, const real *embedding, real *losses) {
        for (index_t b = 0; b < batch; ++b) {
            if (!options.chosen(b)) continue;
            const index_t first = options.offsets[b], count = options.offsets[b + 1] - first;
            const R state = row(states, b);
            real *y = probabilities.get() + first;
            real highest = -std::numeric_limits<real>::infinity();
            for (index_t o = 0; o < count; ++o) {
                const R mine = options.embed(first + o, embedding);
                mine.store(rows.get() + (first + o) * D);
                y[o] = mine.dot(state);
                if (!(y[o] <= highest)) highest = y[o];
            }
            const real right = y[options.right[b]];
            const real total = exponentials(y, count, highest);
            for (index_t o = 0; o < count; ++o) y[o] /= total;
            losses[b] += std::log(total) + (highest - right);
        }
    }

    // The rows in a direction.
    Buffer along(index_t batch, const real *d_embedding) const {
        Buffer d_rows = room(options.all(batch) * D);
        for (index_t b = 0; b < batch; ++b) {
            if (!options.chosen(b)) continue;
            for (index_t o = options.offsets[b]; o < options.offsets[b + 1]; ++o)
                options.embed(o, d_embedding).store(d_rows.get() + o * D);
        }
        return d_rows;
    }
};

// w and G = w (Y - 1_r).
struct OptionsBackward {
    Buffer weights, of_scores;

    OptionsBackward(index_t batch, const OptionsForward &f)
        : weights(room(batch)), of_scores(room(f.options.all(batch))) {}

    // Adds to of_states and of_embedding.
    void run(index_t batch, const OptionsForward &f, const real *states, const real *given, real *of_states,
             real *of_embedding) {
        const Options &options = f.options;
        for (index_t b = 0; b < batch; ++b) {
            if (!options.chosen(b)) continue;
            const real w = weights[b] = given[b];
            const R state = row(states, b);
            R of_state = row(of_states, b);
            for (index_t o = options.offsets[b]; o < options.offsets[b + 1]; ++o) {
                const bool right = o - options.offsets[b] == options.right[b];
                const real g = of_scores[o] = w * f.probabilities[o] - (right ? w : 0);
                of_state.add(row(f.rows.get(), o), g);
                R mine = R::zero();
                mine.add(state, g);
                options.spread(o, mine, of_embedding);
            }
            of_state.store(of_states + b * D);
        }
    }

    // In a direction: adds to the slopes, and, if of_embedding is not null, to the derivatives of what run added.
    void second(index_t batch, const OptionsForward &f, const real *states, const real *d_states, const real *d_rows,
                real *of_states, real *of_embedding, real *slopes) const {
        const Options &options = f.options;
        Buffer d_scores = room(options.all(batch));
        for (index_t b = 0; b < batch; ++b) {
            if (!options.chosen(b)) continue;
            const index_t first = options.offsets[b], last = options.offsets[b + 1];
            const R state = row(states, b), d_state = row(d_states, b);
            real total = 0;
            for (index_t o = first; o < last; ++o) {
                d_scores[o] = row(f.rows.get(), o).dot(d_state) + row(d_rows, o).dot(state);
                total += f.probabilities[o] * d_scores[o];
            }
            slopes[b] += total - d_scores[first + options.right[b]];
            if (!of_embedding) continue;
            R of_state = row(of_states, b);
            for (index_t o = first; o < last; ++o) {
                const real d = weights[b] * f.probabilities[o] * (d_scores[o] - total);
                of_state.add(row(f.rows.get(), o), d);
                of_state.add(row(d_rows, o), of_scores[o]);
                R mine = R::zero();
                mine.add(state, d);
                mine.add(d_state, of_scores[o]);
                options.spread(o, mine, of_embedding);
            }
            of_state.store(of_states + b * D);
        }
    }
};
