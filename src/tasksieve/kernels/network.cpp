// The memory network over ragged memories: its body alone, or with candidates and losses; forward, gradient, and both
// in a direction. Compiled once for each width (DIM) and number type (REAL), so that every row has a known length.
//
// A Pass belongs to one batch and one set of parameters; a Gradient to one backward pass of it. Both hold what later
// passes need, and pointers to the batch's indices, which must outlive them. Arrays are row-major; a null pointer
// stands for a part that the model does not have. Gradients are added to what is there.

#include "candidates.hpp"
#include "ragged.hpp"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

struct Parameters {
    const real *embedding, *transform, *candidates;
};

struct Gradients {
    real *embedding, *transform, *candidates;
};

struct Batch {
    index_t hops, examples, entries, sentences, transforms_state, count;
    const index_t *words, *word_offsets;         // of the batch's sentences
    const index_t *sentence, *counts, *offsets;  // of the memories
    const index_t *utterance, *response;
    // For losses: the responses that all examples choose among, or each example its own, and the entities.
    const index_t *candidate_words, *candidate_offsets, *targets;
    Ragged ragged[2];  // responses and entities

    bool shared() const { return candidate_offsets != nullptr; }

    bool answerable(const CandidatesForward &candidates) const {
        return shared() ? candidates.answerable(examples) : ragged[0].answerable(examples);
    }
};

namespace {

// While it lives, numbers too small for the format's full precision count as zero: probabilities of a trained model
// often are, and the processor takes a hundred times as long for them.
class NoSubnormals {
#ifdef __SSE__
    const unsigned before = _mm_getcsr();

  public:
    NoSubnormals() { _mm_setcsr(before | 0x8040); }
    ~NoSubnormals() { _mm_setcsr(before); }
#endif
};

void sum_sentences(index_t sentences, const index_t *words, const index_t *offsets, const real *embedding,
                   real *rows) {
    for (index_t s = 0; s < sentences; ++s) {
        R total = R::zero();
        for (index_t w = offsets[s]; w < offsets[s + 1]; ++w) total.add(row(embedding, words[w]));
        total.store(rows + s * D);
    }
}

void add_sentences(index_t sentences, const index_t *words, const index_t *offsets, const real *rows,
                   real *gradient) {
    for (index_t s = 0; s < sentences; ++s) {
        const R mine = row(rows, s);
        for (index_t w = offsets[s]; w < offsets[s + 1]; ++w) add_to(gradient, words[w], mine);
    }
}

// memories[j] = rows[sentence[j]],   queries[i] = rows[utterance[i]] + rows[response[i]]
void gather(const Batch &batch, const Parameters &from, real *memories, real *queries) {
    Buffer rows = room(batch.sentences * D);
    sum_sentences(batch.sentences, batch.words, batch.word_offsets, from.embedding, rows.get());
    for (index_t j = 0; j < batch.entries; ++j) row(rows.get(), batch.sentence[j]).store(memories + j * D);
    for (index_t b = 0; b < batch.examples; ++b) {
        R query = row(rows.get(), batch.utterance[b]);
        if (batch.response) query.add(row(rows.get(), batch.response[b]));
        query.store(queries + b * D);
    }
}

// The transpose.
void scatter(const Batch &batch, const real *memories, const real *queries, const Gradients &to) {
    Buffer rows = zeros(batch.sentences * D);
    for (index_t j = 0; j < batch.entries; ++j) add_to(rows.get(), batch.sentence[j], row(memories, j));
    for (index_t b = 0; b < batch.examples; ++b) {
        const R query = row(queries, b);
        add_to(rows.get(), batch.utterance[b], query);
        if (batch.response) add_to(rows.get(), batch.response[b], query);
    }
    add_sentences(batch.sentences, batch.words, batch.word_offsets, rows.get(), to.embedding);
}

}  // namespace

struct Pass {
    const Batch batch;
    const Shape shape;
    HopsForward hops;
    CandidatesForward candidates;
    RaggedForward ragged[2];

    explicit Pass(const Batch &b)
        : batch(b), shape{b.hops, b.examples, b.entries, b.transforms_state != 0, b.offsets, b.counts}, hops(shape),
          candidates(b.examples, b.count, b.candidate_words, b.candidate_offsets, b.targets),
          ragged{{b.examples, b.ragged[0]}, {b.examples, b.ragged[1]}} {}
};

struct Gradient {
    HopsBackward hops;
    CandidatesBackward candidates;
    RaggedBackward ragged[2];

    explicit Gradient(const Pass &pass)
        : hops(pass.shape), candidates(pass.batch.examples, pass.candidates),
          ragged{{pass.batch.examples, pass.ragged[0]}, {pass.batch.examples, pass.ragged[1]}} {}
};

namespace {

// What choices add to the derivative in a direction. Writes d_gradient and slopes; of_candidates may be null, or the
// direction itself, so that all is read of that before anything is added.
void second_of_choices(const Pass *pass, const Gradient *gradient, const real *d_states, const real *direction,
                       real *d_gradient, real *of_candidates, real *slopes) {
    const Batch &batch = pass->batch;
    const real *states = pass->hops.last_states(pass->shape);
    Buffer d_rows[2];
    for (int i = 0; i < 2; ++i) d_rows[i] = pass->ragged[i].along(batch.examples, direction);
    if (!batch.shared())
        std::memset(slopes, 0, batch.examples * sizeof(real));
    else if (of_candidates)
        gradient->candidates.second(batch.examples, pass->candidates, states, d_states, direction, d_gradient,
                                    of_candidates, slopes);
    else
        gradient->candidates.slopes(batch.examples, pass->candidates, states, d_states, direction, slopes);
    for (int i = 0; i < 2; ++i)
        gradient->ragged[i].second(batch.examples, pass->ragged[i], states, d_states, d_rows[i].get(), d_gradient,
                                   of_candidates, slopes);
}

}  // namespace

extern "C" {

// The bag-of-words product and its transpose by themselves.
void sum_words(index_t sentences, const index_t *words, const index_t *offsets, const real *embedding, real *rows) {
    sum_sentences(sentences, words, offsets, embedding, rows);
}

void add_rows(index_t sentences, const index_t *words, const index_t *offsets, const real *rows, real *gradient) {
    add_sentences(sentences, words, offsets, rows, gradient);
}

// A pass through the body; with candidates, through them too. out: losses (examples), or else states (examples x D).
// Null if the right response of an example is none of its choices.
Pass *forward(const Batch *batch, const Parameters *params, real *out) {
    const NoSubnormals guard;
    Pass *pass = new Pass(*batch);
    if (params->candidates && !batch->answerable(pass->candidates)) {
        delete pass;
        return nullptr;
    }
    gather(pass->batch, *params, pass->hops.memories.get(), pass->hops.states.get());
    std::memcpy(pass->hops.transform.get(), params->transform, D * D * sizeof(real));
    pass->hops.run(pass->shape);
    const real *states = pass->hops.last_states(pass->shape);
    if (params->candidates) {
        if (batch->shared())
            pass->candidates.run(batch->examples, states, params->candidates, out);
        else
            std::memset(out, 0, batch->examples * sizeof(real));
        for (RaggedForward &one : pass->ragged) one.run(batch->examples, states, params->candidates, out);
    } else
        std::memcpy(out, states, batch->examples * D * sizeof(real));
    return pass;
}

// given: cotangents of what forward gave.
Gradient *backward(const Pass *pass, const real *given, const Gradients *to) {
    const NoSubnormals guard;
    Gradient *gradient = new Gradient(*pass);
    const Batch &batch = pass->batch;
    Buffer of_states = room(batch.examples * D), of_queries = room(batch.examples * D);
    Buffer of_memories = zeros(batch.entries * D);
    if (to->candidates) {
        const real *states = pass->hops.last_states(pass->shape);
        if (batch.shared())
            gradient->candidates.run(batch.examples, pass->candidates, states, given, of_states.get(), to->candidates);
        else
            std::memset(of_states.get(), 0, batch.examples * D * sizeof(real));
        for (int i = 0; i < 2; ++i)
            gradient->ragged[i].run(batch.examples, pass->ragged[i], states, given, of_states.get(), to->candidates);
        given = of_states.get();
    }
    gradient->hops.run(pass->shape, pass->hops, given, of_memories.get(), to->transform, of_queries.get());
    scatter(batch, of_memories.get(), of_queries.get(), *to);
    return gradient;
}

// The derivative of backward in a direction of the parameters. slopes: that of what forward gave. If "to" is null, the
// slopes only.
void second(const Pass *pass, const Gradient *gradient, const Parameters *direction, const Gradients *to,
            real *slopes) {
    const NoSubnormals guard;
    const Batch &batch = pass->batch;
    HopsTangent tangent(pass->shape);
    gather(batch, *direction, tangent.d_memories.get(), tangent.d_states.get());
    std::memcpy(tangent.d_transform.get(), direction->transform, D * D * sizeof(real));
    tangent.forward(pass->shape, pass->hops);
    const real *d_states = tangent.last_states(pass->shape);
    Buffer d_gradient = zeros(batch.examples * D), of_queries = room(batch.examples * D);
    Buffer of_memories = zeros(batch.entries * D);
    if (direction->candidates)
        second_of_choices(pass, gradient, d_states, direction->candidates, d_gradient.get(),
                          to ? to->candidates : nullptr, slopes);
    else
        std::memcpy(slopes, d_states, batch.examples * D * sizeof(real));
    if (!to) return;
    tangent.backward(pass->shape, pass->hops, gradient->hops, d_gradient.get(), of_memories.get(), to->transform,
                     of_queries.get());
    scatter(batch, of_memories.get(), of_queries.get(), *to);
}

void free_pass(Pass *pass) { delete pass; }

void free_gradient(Gradient *gradient) { delete gradient; }

}  // extern "C"
